import { CfnOutput, RemovalPolicy } from 'aws-cdk-lib';
import {
  CfnEIP,
  FlowLogDestination,
  FlowLogTrafficType,
  GatewayVpcEndpointAwsService,
  IpAddresses,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { DistrictKey } from './district-key.ts';

/** Zones, and with each an address of its own: the loss of one must not silence the district. */
const ZONES = 2;

/**
 * The addresses by which the notifier is known to vendors and to the 110 centre (WeCom's 可信IP, DingTalk's 服务器出口IP, SMS lists):
 * a network with nothing in it, out of which one function speaks. The addresses outlive the stack, because filing another one
 * takes ten working days.
 */
export class FixedEgress extends Construct {
  readonly vpc: Vpc;
  readonly securityGroup: SecurityGroup;

  constructor(scope: Construct, id: string, props: { key: DistrictKey; production: boolean }) {
    super(scope, id);
    const addresses = Array.from({ length: ZONES }, (_, i) => {
      const address = new CfnEIP(this, `Address${i + 1}`, { domain: 'vpc' });
      address.applyRemovalPolicy(RemovalPolicy.RETAIN);
      new CfnOutput(this, `Egress${i + 1}`, { key: `EgressAddress${i + 1}`, value: address.ref });
      return address;
    });
    this.vpc = new Vpc(this, 'Network', {
      ipAddresses: IpAddresses.cidr('10.110.0.0/24'),
      maxAzs: ZONES,
      natGateways: ZONES,
      natGatewayProvider: NatProvider.gateway({
        eipAllocationIds: addresses.map((address) => address.attrAllocationId),
      }),
      // Restricting it takes a function of CDK's own; nothing is ever put into the default group.
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'Out', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false },
        { name: 'Inside', subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      ],
      // The table is by far the most traffic, and this way to it costs nothing.
      gatewayEndpoints: { Table: { service: GatewayVpcEndpointAwsService.DYNAMODB } },
    });
    const log = new LogGroup(this, 'Log', {
      encryptionKey: props.key.key,
      retention: RetentionDays.SIX_MONTHS,
      removalPolicy: props.production ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
    const writer = new Role(this, 'LogRole', {
      assumedBy: new ServicePrincipal('vpc-flow-logs.amazonaws.com'),
      description: 'Xiaonao: who was called from the fixed addresses',
    });
    writer.addToPrincipalPolicy(
      new PolicyStatement({
        actions: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        resources: [log.logGroupArn],
      }),
    );
    this.vpc.addFlowLog('Calls', {
      destination: FlowLogDestination.toCloudWatchLogs(log, writer),
      trafficType: FlowLogTrafficType.ALL,
    });
    this.securityGroup = new SecurityGroup(this, 'Group', {
      vpc: this.vpc,
      description: 'Xiaonao notifier: calls by HTTPS, is never called',
      allowAllOutbound: false,
    });
    this.securityGroup.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'vendors, 110 and the services of AWS');
  }
}
