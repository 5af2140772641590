import { Aws, CfnOutput, DefaultStackSynthesizer, Duration, Stack, Tags } from 'aws-cdk-lib';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import { Operation } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import { DistrictKey } from './constructs/district-key.ts';
import { DistrictSecret } from './constructs/district-secret.ts';
import { DutyDashboard } from './constructs/duty-dashboard.ts';
import { EscalationWorkflow } from './constructs/escalation-workflow.ts';
import { FixedEgress } from './constructs/fixed-egress.ts';
import { HttpApi } from './constructs/http-api.ts';
import { IncidentTable } from './constructs/incident-table.ts';
import { SweepSchedule } from './constructs/sweep-schedule.ts';
import { TlsOnly } from './constructs/tls-only.ts';
import { VerbFunction } from './constructs/verb-function.ts';
import { MINUTE, Watch } from './constructs/watch.ts';
import { WorkQueue } from './constructs/work-queue.ts';
import type { Office } from './office.ts';

/** Everything one district needs, and nothing that two districts share. Read it as the table of contents. */
export class DistrictStack extends Stack {
  constructor(scope: Construct, id: string, office: Office) {
    super(scope, id, {
      description: `Xiaonao: incidents of ${office.id} that are not police work`,
      // No account, no region: the same template everywhere. The CLI itself checks the bootstrap version.
      synthesizer: new DefaultStackSynthesizer({ generateBootstrapVersionRule: false }),
      terminationProtection: office.production,
    });
    Tags.of(this).add('product', 'xiaonao');
    Tags.of(this).add('district', office.id);
    Tags.of(this).add('stage', office.deploy.stage);

    // ── What it remembers ──────────────────────────────────────────────────────────────────────────────────────────
    const key = new DistrictKey(this, 'Key');
    const table = new IncidentTable(this, 'Table', { key });
    const secret = new DistrictSecret(this, 'Secret', { key });

    // ── Work that waits ────────────────────────────────────────────────────────────────────────────────────────────
    const reports = new WorkQueue(this, 'Reports', {
      key,
      variable: 'REPORTS_QUEUE_URL',
      visibility: Duration.seconds(60),
      tries: 5,
      impact:
        'A call could not be classified five times: its caller waits, and only the duty officer knows of it.',
    });
    // A queue of its own: no call waits to be dispatched while an earlier one is compared with others.
    const links = new WorkQueue(this, 'Links', {
      key,
      variable: 'LINKS_QUEUE_URL',
      visibility: Duration.seconds(60),
      tries: 3,
      impact:
        'A call could not be compared with others three times: two crews may be on the way to one event.',
    });
    const alerts = new WorkQueue(this, 'Alerts', {
      key,
      variable: 'ALERTS_QUEUE_URL',
      visibility: Duration.seconds(180),
      tries: 5,
      impact:
        'A notice could not be sent five times: a member who was named does not know that somebody waits for him.',
    });
    // A queue of its own: ten thousand messages that are only good to know must not stand before one alarm.
    const chatter = new WorkQueue(this, 'Chatter', {
      key,
      variable: 'CHATTER_QUEUE_URL',
      visibility: Duration.seconds(180),
      tries: 5,
      impact: 'Somebody who is not needed any more could not be told so five times: he goes out in vain.',
    });
    const sweeps = new WorkQueue(this, 'Sweeps', {
      key,
      variable: 'SWEEPS_QUEUE_URL',
      visibility: Duration.seconds(90),
      tries: 2,
      impact: 'A sweep failed twice: work left undone by a crashed function is found up to a minute late.',
    });
    const queues = [reports, links, alerts, chatter, sweeps];
    new TlsOnly(this, 'TlsOnly', queues);

    // ── Where calls to the outside come from ────────────────────────────────────────────────────────────────────────
    const egress =
      office.deploy.egress === 'fixed'
        ? new FixedEgress(this, 'Egress', { key, production: office.production })
        : undefined;

    // ── Verbs ──────────────────────────────────────────────────────────────────────────────────────────────────────
    const house = { office, key };
    const intake = new VerbFunction(this, 'Intake', {
      ...house,
      verb: 'intake',
      timeout: Duration.seconds(10),
      impact: 'Calls of the 110 centre are refused or lost on our side: people who called wait for nobody.',
    });
    const classification = new VerbFunction(this, 'Classification', {
      ...house,
      verb: 'classification',
      timeout: Duration.seconds(10),
      memory: 1024, // grids and roads of a whole district are parsed at a cold start
      impact:
        'New calls are stored but nobody is named for them: the first minute passes with nobody moving.',
    });
    const linking = new VerbFunction(this, 'Linking', {
      ...house,
      verb: 'linking',
      timeout: Duration.seconds(10),
      impact:
        'Calls are not compared: two crews set out for one event, and nobody sees that a quarrel is the third one.',
    });
    const escalation = new VerbFunction(this, 'Escalation', {
      ...house,
      verb: 'escalation',
      timeout: Duration.seconds(10),
      impact: 'Missed deadlines call nobody: an incident whose member does not answer stays with him.',
    });
    const notification = new VerbFunction(this, 'Notification', {
      ...house,
      verb: 'notification',
      timeout: Duration.seconds(30),
      egress,
      impact:
        'Texts do not leave: members, leaders and the duty officer are not told of what waits for them.',
    });
    const receipt = new VerbFunction(this, 'Receipt', {
      ...house,
      verb: 'receipt',
      timeout: Duration.seconds(10),
      impact:
        'Delivery receipts are lost: texts that arrived are sent again, and members are disturbed twice.',
    });
    const response = new VerbFunction(this, 'Response', {
      ...house,
      verb: 'response',
      timeout: Duration.seconds(10),
      impact:
        'Members cannot accept, arrive or close: people are called up who are not needed, and the trail has holes.',
    });
    const desk = new VerbFunction(this, 'Console', {
      ...house,
      verb: 'console',
      timeout: Duration.seconds(10),
      impact: 'The desk and the members see no incidents: they act on texts and telephone alone.',
    });
    const reconcile = new VerbFunction(this, 'Reconcile', {
      ...house,
      verb: 'reconcile',
      timeout: Duration.seconds(15),
      impact:
        'Nobody looks for what was left undone: one crash at the wrong moment leaves an incident without a watch.',
    });

    // ── The watch over promises ────────────────────────────────────────────────────────────────────────────────────
    const workflow = new EscalationWorkflow(this, 'Workflow', { ...house, table, escalation });

    // ── Who may do what ────────────────────────────────────────────────────────────────────────────────────────────
    const movers = [classification, linking, escalation, notification, receipt, response, reconcile];
    for (const fn of [intake, ...movers]) table.grantCommit(fn);
    table.grantRead(desk);
    for (const fn of [intake, ...movers, desk]) secret.grantRead(fn);
    for (const fn of [intake, reconcile]) reports.grantSend(fn);
    for (const fn of [classification, reconcile]) links.grantSend(fn);
    for (const fn of [intake, ...movers]) {
      alerts.grantSend(fn);
      chatter.grantSend(fn);
    }
    sweeps.grantSend(reconcile);
    // Linking too: a call that becomes part of another one has nothing left to wait for.
    for (const fn of movers) {
      workflow.grantStart(fn);
      workflow.grantWake(fn);
    }
    workflow.grantLook(reconcile);
    // Response takes the addresses of devices: real ones are of https.
    for (const fn of [notification, response]) fn.setting('VENDORS_URL', 'real');
    if (office.deploy.snsTexts) notification.grantTexts();

    // ── What sets them going ───────────────────────────────────────────────────────────────────────────────────────
    reports.consumedBy(classification, 20);
    links.consumedBy(linking, 2);
    alerts.consumedBy(notification, 20);
    chatter.consumedBy(notification, 2);
    sweeps.consumedBy(reconcile, 2);
    new SweepSchedule(this, 'Schedule', { reconcile, warm: receipt });
    const api = new HttpApi(this, 'Http', {
      ...house,
      doors: [
        { route: 'POST /webhooks/110', to: intake, known: 'signature' },
        { route: 'POST /webhooks/110/heartbeat', to: intake, known: 'signature' },
        { route: 'POST /receipts/{vendor}/{token}', to: receipt, known: 'path' },
        { route: 'GET /t/{token}', to: receipt, known: 'path' },
        { route: 'POST /t/{token}/session', to: receipt, known: 'path' },
        { route: 'POST /api/incidents/{id}/actions', to: response, known: 'bearer' },
        { route: 'GET /api/incidents', to: desk, known: 'bearer' },
        { route: 'GET /api/incidents/{id}', to: desk, known: 'bearer' },
        { route: 'GET /api/roster', to: desk, known: 'bearer' },
        { route: 'GET /api/rejected', to: desk, known: 'bearer' },
        { route: 'GET /api/codes', to: desk, known: 'bearer' },
        { route: 'GET /api/vendors', to: desk, known: 'bearer' },
        { route: 'GET /api/unreached', to: desk, known: 'bearer' },
        { route: 'GET /api/drill', to: desk, known: 'bearer' },
        { route: 'POST /api/drill/answer', to: response, known: 'bearer' },
        { route: 'GET /api/push', to: desk, known: 'bearer' },
        { route: 'POST /api/push/devices', to: response, known: 'bearer' },
        { route: 'DELETE /api/push/devices/{id}', to: response, known: 'bearer' },
        { route: 'GET /api/health', to: desk, known: 'public' },
        { route: 'GET /openapi.json', to: desk, known: 'public' },
        { route: '$default', to: desk, known: 'public' },
      ],
    });

    // ── Who is called when it fails ────────────────────────────────────────────────────────────────────────────────
    const watch = new Watch(this, 'Watch', { key });
    const verbs = [intake, ...movers, desk];
    for (const { node, fn, impact } of verbs)
      watch.over(`${node.id}Fails`, { metric: fn.metricErrors(MINUTE), impact });
    for (const { node, dead, impact } of queues)
      watch.over(`${node.id}Dead`, {
        metric: dead.metricApproximateNumberOfMessagesVisible({ ...MINUTE, statistic: Stats.MAXIMUM }),
        impact,
      });
    watch.over('ReportsLate', {
      metric: reports.queue.metricApproximateAgeOfOldestMessage(MINUTE),
      from: 60,
      periods: 2,
      impact: 'Calls wait more than a minute to be classified: every promised minute is already broken.',
    });
    watch.over('LinksLate', {
      metric: links.queue.metricApproximateAgeOfOldestMessage(MINUTE),
      from: 60,
      periods: 2,
      impact:
        'Calls wait more than a minute to be compared: by then somebody has set out twice for one event.',
    });
    watch.over('AlertsLate', {
      metric: alerts.queue.metricApproximateAgeOfOldestMessage(MINUTE),
      from: 60,
      periods: 2,
      impact:
        'Notices wait more than a minute to be sent: members are blamed for minutes that they never had.',
    });
    watch.over('ChatterLate', {
      metric: chatter.queue.metricApproximateAgeOfOldestMessage(MINUTE),
      from: 900,
      periods: 2,
      impact: 'People who are not needed any more hear of it a quarter of an hour late.',
    });
    watch.over('ExecutionsFail', { metric: workflow.machine.metricFailed(MINUTE), impact: workflow.impact });
    watch.over('ExecutionsThrottled', {
      metric: workflow.machine.metricThrottled(MINUTE),
      periods: 3,
      impact: 'The account has used up its share of state transitions: deadlines of this district fire late.',
    });
    watch.over('TableFails', {
      metric: new MathExpression({
        label: 'refused by the table',
        expression: 'throttles + defects',
        usingMetrics: {
          throttles: table.table.metricThrottledRequestsForOperation('TransactWriteItems', MINUTE),
          defects: table.table.metricSystemErrorsForOperations({
            ...MINUTE,
            operations: [
              Operation.GET_ITEM,
              Operation.QUERY,
              Operation.TRANSACT_WRITE_ITEMS,
              Operation.UPDATE_ITEM,
            ],
          }),
        },
        ...MINUTE,
      }),
      periods: 3,
      impact:
        'The table refuses moves for minutes: calls are answered with an error, and members press in vain.',
    });
    watch.over('HttpFails', {
      metric: api.gateway.metricServerError({ ...MINUTE, statistic: Stats.SUM }),
      periods: 2,
      impact:
        'The doors answer with errors of our own making: 110 keeps its call and tries again, members see a fault.',
    });
    watch.over('SweepStops', {
      metric: reconcile.fn.metricInvocations(MINUTE),
      below: 1,
      periods: 3,
      impact:
        'The sweep has stopped beating: nothing that is lost would be found, and no other alarm of ours may be believed.',
    });

    // ── What the functions themselves report (shared/ports/log.ts) ─────────────────────────────────────────────────
    const reported = (metricName: string) =>
      new Metric({
        namespace: 'Xiaonao',
        metricName,
        dimensionsMap: { District: office.id, Stage: office.deploy.stage },
        statistic: Stats.SUM,
        ...MINUTE,
      });
    watch.over('FeederSilent', {
      metric: reported('FeederSilent'),
      impact:
        'The 110 centre has missed three heartbeats: its calls may no longer reach us, and its desk does not know.',
    });
    watch.over('CentreSilent', {
      metric: reported('CentreSilent'),
      impact:
        'The 110 centre does not acknowledge a matter that was returned to it for danger: nobody there may know of it.',
    });
    watch.over('Unanswered', {
      metric: reported('Unanswered'),
      impact: 'An incident has nobody left to ask: somebody who called for help is on the desk list alone.',
    });
    watch.over('NagsOver', {
      metric: reported('NagsOver'),
      impact:
        'The duty officer was reminded thirty times without an answer: the incident is on the desk list alone.',
    });
    watch.over('NoticeFailed', {
      metric: reported('NoticeFailed'),
      impact:
        'No vendor would take a notice: a person who was named does not know of it, and only the climb goes on.',
    });
    watch.over('DangerAfterNonPolice', {
      metric: reported('DangerAfterNonPolice'),
      impact:
        'People found danger in what the machine had called harmless: somebody was sent alone, and the next such call would be too.',
    });
    watch.over('Unreached', {
      metric: reported('Unreached'),
      impact:
        'No vendor takes the notice of somebody who has to act, or the code he waits for. Telephone by the list of the unreached.',
    });
    watch.over('VendorUnpaid', {
      metric: reported('VendorUnpaid'),
      impact: 'A vendor refuses for want of money: notices go the longer way, or not at all.',
    });
    watch.over('WorkflowLost', {
      metric: reported('WorkflowLost'),
      impact:
        'An incident had lost its watch until reconcile found it: some deadline of it may have fired late.',
    });

    // ── One page for the person on call ────────────────────────────────────────────────────────────────────────────
    new DutyDashboard(this, 'Dashboard', {
      watch,
      graphs: {
        Incidents: ['Received', 'Triage', 'Corrected', 'Returned', 'Breach', 'Unanswered'].map(reported),
        'What belongs together': ['Repeat', 'Joined', 'Parted', 'MergeProposed'].map(reported),
        'Second opinions, and codes in no table': ['OpinionHeard', 'OpinionMissing', 'CodeUnknown'].map(
          reported,
        ),
        'What went wrong and was mended': [
          'Rejected',
          'Unsigned',
          'NoticeDoubled',
          'NoticeExpired',
          'VendorTrouble',
          'VendorSwitched',
          'VendorBack',
          'Rerouted',
          'BudgetLow',
          'ChatterStopped',
          'ReceiptUnknown',
          'TokenLate',
          'RestoredByReconcile',
        ].map(reported),
        'Calls in': [api.gateway.metricCount(MINUTE), api.gateway.metricClientError(MINUTE)],
        'Answer time of the doors': ['p50', 'p99'].map((statistic) =>
          api.gateway.metricLatency({ ...MINUTE, statistic }),
        ),
        'Work that waits': [reports, links, alerts, chatter].map(({ queue }) =>
          queue.metricApproximateAgeOfOldestMessage(MINUTE),
        ),
        'Incidents under watch': [
          workflow.machine.metricStarted(MINUTE),
          workflow.machine.metricSucceeded(MINUTE),
        ],
        'Time per verb': verbs.map(({ fn }) => fn.metricDuration({ ...MINUTE, statistic: 'p99' })),
        'Errors per verb': verbs.map(({ fn }) => fn.metricErrors(MINUTE)),
      },
    });

    new CfnOutput(this, 'Region', { value: Aws.REGION });
  }
}
