import { Aws, CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import { AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { IHttpRouteAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  HttpApi as Gateway,
  HttpMethod,
  HttpNoneAuthorizer,
  HttpRoute,
  HttpRouteKey,
  LogGroupLogDestination,
} from 'aws-cdk-lib/aws-apigatewayv2';
import { HttpIamAuthorizer } from 'aws-cdk-lib/aws-apigatewayv2-authorizers';
import { HttpLambdaIntegration } from 'aws-cdk-lib/aws-apigatewayv2-integrations';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Office } from '../office.ts';
import type { DistrictKey } from './district-key.ts';
import { accept } from './exception.ts';
import type { VerbFunction } from './verb-function.ts';

/** One door: who answers, and how the caller is known. */
export interface Door {
  /** `METHOD /path`, or `$default`. */
  readonly route: `${'GET' | 'POST' | 'DELETE'} /${string}` | '$default';
  readonly to: VerbFunction;
  /** `signature`: 110 signs the body. `bearer`: a member's or desk's token. `path`: an unguessable path. `public`: nothing to protect. */
  readonly known: 'signature' | 'bearer' | 'path' | 'public';
}

const WHY_OPEN = {
  signature:
    'The function checks the Standard Webhooks signature of the body, which no gateway authorizer can.',
  bearer:
    "The function checks the ES256 bearer token itself, so that refusals keep the API's error shape and the keys rotate without a deployment.",
  path: 'The vendor can present nothing but the address it was given: the function compares the unguessable token in the path.',
  public: 'Nothing to protect: a description of the API, its health, or a 404.',
} as const;

/** Requests per second, and in one burst. Far above a district's day (13 calls), far below what would hurt its neighbours. */
const THROTTLE = { rateLimit: 500, burstLimit: 1000 };

/** The district's doors to the outside. */
export class HttpApi extends Construct {
  readonly gateway: Gateway;

  constructor(
    scope: Construct,
    id: string,
    props: { office: Office; key: DistrictKey; doors: readonly Door[] },
  ) {
    super(scope, id);
    const { office } = props;
    this.gateway = new Gateway(this, 'Api', {
      apiName: Aws.STACK_NAME,
      description: 'Xiaonao: 110 reports in, actions of members, receipts of vendors',
      createDefaultStage: false,
    });
    const log = new LogGroup(this, 'Log', {
      logGroupName: `/aws/vendedlogs/xiaonao/${Aws.STACK_NAME}/http`,
      encryptionKey: props.key.key,
      retention: RetentionDays.SIX_MONTHS,
      removalPolicy: office.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    this.gateway.addStage('Live', {
      stageName: '$default',
      autoDeploy: true,
      throttle: THROTTLE,
      accessLogSettings: {
        destination: new LogGroupLogDestination(log),
        // The route, never the path: the path of a receipt is a secret, and an incident's id is nobody's business here.
        format: AccessLogFormat.custom(
          JSON.stringify({
            at: '$context.requestTime',
            request: '$context.requestId',
            route: '$context.routeKey',
            status: '$context.status',
            ms: '$context.responseLatency',
            error: '$context.error.message',
            integration: '$context.integrationErrorMessage',
          }),
        ),
      },
    });

    const integrations = new Map<VerbFunction, HttpLambdaIntegration>();
    const integrationOf = (fn: VerbFunction) => {
      // One permission for each function: one for each door would be half as many resources again, and all doors are ours.
      const known =
        integrations.get(fn) ??
        new HttpLambdaIntegration(`To${fn.node.id}`, fn.live, { scopePermissionToRoute: false });
      integrations.set(fn, known);
      return known;
    };
    for (const { route, to, known } of props.doors) {
      const signed = known === 'signature' && office.deploy.webhookAuth === 'iam';
      const authorizer: IHttpRouteAuthorizer = signed ? new HttpIamAuthorizer() : new HttpNoneAuthorizer();
      const door = new HttpRoute(this, nameOf(route), {
        httpApi: this.gateway,
        routeKey: keyOf(route),
        integration: integrationOf(to),
        authorizer,
      });
      if (!signed) accept(door, 'AwsSolutions-APIG4', WHY_OPEN[known]);
    }
    new CfnOutput(this, 'Url', { key: 'Url', value: this.gateway.apiEndpoint });
  }
}

/** `GET /api/incidents/{id}` → `GetApiIncidentsId`: a logical id that says which door it is. */
const nameOf = (route: string): string =>
  route
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');

const keyOf = (route: Door['route']): HttpRouteKey => {
  if (route === '$default') return HttpRouteKey.DEFAULT;
  const method = Object.values(HttpMethod).find((name) => route.startsWith(`${name} `));
  if (!method) throw new Error(`'${route}' is neither a method and a path nor $default`);
  return HttpRouteKey.with(route.slice(method.length + 1), method);
};
