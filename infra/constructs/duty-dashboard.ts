import { CfnOutput } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { AlarmStatusWidget, Dashboard, GraphWidget, PeriodOverride } from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import type { Watch } from './watch.ts';

/** One page for the person on call: the alarms on top, then the way of an incident from left to right. */
export class DutyDashboard extends Construct {
  constructor(
    scope: Construct,
    id: string,
    props: { watch: Watch; graphs: Readonly<Record<string, readonly IMetric[]>> },
  ) {
    super(scope, id);
    const dashboard = new Dashboard(this, 'Dashboard', { periodOverride: PeriodOverride.INHERIT });
    dashboard.addWidgets(
      new AlarmStatusWidget({ title: 'Alarms', width: 24, height: 4, alarms: props.watch.alarms }),
    );
    const graphs = Object.entries(props.graphs);
    for (let i = 0; i < graphs.length; i += 3)
      dashboard.addWidgets(
        ...graphs
          .slice(i, i + 3)
          .map(([title, left]) => new GraphWidget({ title, left: [...left], width: 8 })),
      );
    new CfnOutput(this, 'Name', { key: 'DashboardName', value: dashboard.dashboardName });
  }
}
