import { describe, expect, test } from 'vitest';
import { openApiDocument } from '#shared/contracts/openapi.ts';
import { API_ROUTES } from '#shared/contracts/routes.ts';
import { reportSchema } from '#shared/contracts/report.ts';

const document: any = openApiDocument();

const walk = (value: unknown, visit: (node: object) => void): void => {
  if (Array.isArray(value)) for (const one of value) walk(one, visit);
  else if (typeof value === 'object' && value !== null) {
    visit(value);
    for (const one of Object.values(value)) walk(one, visit);
  }
};

describe('the OpenAPI document', () => {
  test('describes every route, and nothing else', () => {
    const described = Object.entries<object>(document.paths).flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(described.sort()).toEqual(API_ROUTES.map(({ method, path }) => `${method} ${path}`).sort());
    expect(document.openapi).toBe('3.1.0');
  });

  test('every reference leads somewhere', () => {
    const seen = new Set<string>();
    walk(document, (node) => {
      if ('$ref' in node) seen.add(String(node.$ref));
    });
    expect(seen.size).toBeGreaterThan(8);
    for (const ref of seen) {
      const target = ref
        .slice(2)
        .split('/')
        .reduce((at, key) => at?.[key], document);
      expect(target, ref).toBeTypeOf('object');
    }
  });

  test('every path parameter is declared, every operation says who may call it and how it fails', () => {
    for (const { method, path } of API_ROUTES) {
      const operation = document.paths[path][method.toLowerCase()];
      const declared = (operation.parameters ?? [])
        .filter((p: any) => p.in === 'path')
        .map((p: any) => p.name);
      expect(declared).toEqual([...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
      for (const requirement of operation.security)
        for (const scheme of Object.keys(requirement))
          expect(document.components.securitySchemes).toHaveProperty(scheme);
      expect(operation.responses).toHaveProperty('500');
      for (const [status, response] of Object.entries<any>(operation.responses))
        if (Number(status) >= 400)
          expect(response.content['application/json'].schema.$ref).toBe('#/components/schemas/Error');
    }
  });

  test('its example of a report is one', () => {
    expect(document.components.schemas.Report.examples).toHaveLength(1);
    for (const example of document.components.schemas.Report.examples)
      expect(reportSchema.safeParse(example).success).toBe(true);
  });
});
