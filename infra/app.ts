import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod';
import { bundle } from './bundle.ts';
import { DistrictStack } from './district-stack.ts';
import { readOffices } from './office.ts';

const ROOT = resolve(import.meta.dirname, '..');
const cdkSchema = z.object({ context: z.record(z.string(), z.unknown()) });

/** How to build the app; every field has the value of a deployment. */
export interface AppOptions {
  /** Where the assembly is written; default: what the CLI says, else a temporary folder. */
  readonly outdir?: string;
  /** Ids of the districts to include; default: every folder of `districtData`. An unknown id throws a sentence. */
  readonly districts?: readonly string[];
  /** Folder with one bundle per verb; default `dist`. */
  readonly assets?: string;
  /** Folder with one folder per district; default `shared/districts`. */
  readonly districtData?: string;
  /**
   * CloudFormation's rules and cdk-nag, about two seconds; default true. They judge the template and never change it, so
   * that a start on one machine may leave them to the tests and to every deployment.
   */
  readonly checks?: boolean;
}

/**
 * The CDK app: one stack `Xiaonao-<district>` per district. Its template is the same in process and under the CLI, on
 * every machine, at every time. A district file that breaks a rule throws its sentence; so does `synth()` for a finding
 * of CloudFormation's rules or cdk-nag.
 */
export const buildApp = (options: AppOptions = {}): App => {
  const { checks = true } = options;
  // In process nothing reads cdk.json, and a template without its context would differ from the deployed one.
  const { context } = cdkSchema.parse(JSON.parse(readFileSync(join(ROOT, 'cdk.json'), 'utf8')));
  const app = new App({
    ...(options.outdir && { outdir: options.outdir }),
    context,
    // The CLI would set these after us.
    postCliContext: { 'aws:cdk:enable-path-metadata': true, 'aws:cdk:enable-asset-metadata': false },
    builtinCloudFormationValidation: checks,
    analyticsReporting: false,
    treeMetadata: false,
  });
  const offices = readOffices({
    data: options.districtData,
    assets: options.assets ?? join(ROOT, 'dist'),
    only: options.districts,
  });
  for (const office of offices) new DistrictStack(app, `Xiaonao-${office.id}`, office);
  if (checks) Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
};

if (import.meta.main) {
  await bundle();
  buildApp().synth();
}
