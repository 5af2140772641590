import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import {
  VERBS,
  at,
  copyOfDistricts,
  list,
  of,
  refs,
  stubAssets,
  synthesize,
  temporary,
  textOf,
} from './template.ts';

const folder = temporary();
afterAll(folder.remove);

const policySchema = z.looseObject({ deploy: z.looseObject({}) });
const districtData = copyOfDistricts(join(folder.path, 'districts'));
const file = join(districtData, 'xinjie/policy.json');
const policy = policySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
Object.assign(policy.deploy, {
  partition: 'aws-cn',
  region: 'cn-north-1',
  architecture: 'x86_64',
  webhookAuth: 'iam',
  xray: false,
  egress: 'fixed',
});
writeFileSync(file, JSON.stringify(policy));
// Throws on any finding of CloudFormation's rules and of cdk-nag.
const { stacks } = synthesize({
  districtData,
  assets: stubAssets(join(folder.path, 'assets')),
  districts: ['xinjie'],
  outdir: join(folder.path, 'out'),
});
const [stack] = stacks;
if (!stack) throw new Error('no stack');

describe('a district with fixed addresses', () => {
  it('calls vendors and 110 from two addresses that outlive the stack, each in a zone of its own', () => {
    const addresses = of(stack, 'AWS::EC2::EIP');
    expect(addresses.map(([, { DeletionPolicy }]) => DeletionPolicy)).toEqual(['Retain', 'Retain']);
    const gateways = of(stack, 'AWS::EC2::NatGateway').map(([, { Properties }]) => Properties);
    expect(gateways.flatMap((gateway) => refs(gateway['AllocationId'])).sort()).toEqual(
      addresses.map(([id]) => id).sort(),
    );
    expect(new Set(gateways.flatMap((gateway) => refs(gateway['SubnetId']))).size).toBe(2);
  });

  it('has nothing but the notifier behind them, and nobody can call in', () => {
    const inside = of(stack, 'AWS::Lambda::Function').filter(([, { Properties }]) => Properties['VpcConfig']);
    expect(inside.map(([, { Properties }]) => Properties['Description'])).toEqual(['Xiaonao notification']);
    const groups = of(stack, 'AWS::EC2::SecurityGroup').map(([, { Properties }]) => Properties);
    expect(groups.map((group) => group['SecurityGroupIngress'])).toEqual([undefined]);
    expect(
      groups.flatMap((group) =>
        list(group['SecurityGroupEgress']).map((rule) => [
          textOf(at(rule, 'IpProtocol')),
          at(rule, 'ToPort'),
        ]),
      ),
    ).toEqual([['tcp', 443]]);
    // A subnet of the notifier leads out through a gateway, never straight.
    const plugged = inside.flatMap(([, { Properties }]) => refs(at(Properties['VpcConfig'], 'SubnetIds')));
    const straight = of(stack, 'AWS::EC2::Route')
      .filter(([, { Properties }]) => Properties['GatewayId'])
      .flatMap(([, { Properties }]) => refs(Properties['RouteTableId']));
    const tables = of(stack, 'AWS::EC2::SubnetRouteTableAssociation')
      .filter(([, { Properties }]) => refs(Properties['SubnetId']).some((id) => plugged.includes(id)))
      .flatMap(([, { Properties }]) => refs(Properties['RouteTableId']));
    expect(plugged.length).toBe(2);
    expect(tables.length).toBe(2);
    expect(tables.filter((table) => straight.includes(table))).toEqual([]);
  });

  it('costs what the README says: two gateways and two addresses by the hour, and nothing else', () => {
    const types = (name: string) => of(stack, `AWS::EC2::${name}`);
    expect([types('NatGateway').length, types('EIP').length]).toEqual([2, 2]);
    // A gateway endpoint is free; one with an address of its own is not.
    expect(types('VPCEndpoint').map(([, { Properties }]) => textOf(Properties['VpcEndpointType']))).toEqual([
      'Gateway',
    ]);
    const network = Object.values(stack.resources).filter(({ Type }) => Type.startsWith('AWS::EC2::'));
    // With the log of the calls, its role and its policy: what the README says to the reader of the stack.
    expect(network.length + 3).toBe(29);
  });

  it('needs no function of CDK’s own, and is written down', () => {
    expect(of(stack, 'AWS::Lambda::Function').length).toBe(VERBS.length);
    expect(of(stack, 'AWS::EC2::FlowLog').length).toBe(1);
    expect(stack.text).not.toContain('arn:aws:');
  });
});
