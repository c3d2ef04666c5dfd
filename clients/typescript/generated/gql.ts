/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "mutation CancelTraining($input: CancelTrainingInput!) {\n  cancelTraining(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}": typeof types.CancelTrainingDocument,
    "mutation CreateViewLink($input: CreateViewLinkInput!) {\n  createViewLink(input: $input) {\n    token\n    url\n    expiresAt\n  }\n}": typeof types.CreateViewLinkDocument,
    "mutation DeleteTask($input: DeleteTaskInput!) {\n  deleteTask(input: $input) {\n    taskId\n  }\n}": typeof types.DeleteTaskDocument,
    "subscription Heartbeat($intervalMs: Int) {\n  heartbeat(intervalMs: $intervalMs) {\n    sequence\n    timestamp\n    uptimeSeconds\n    engine {\n      name\n      connected\n      latencyMs\n    }\n  }\n}": typeof types.HeartbeatDocument,
    "mutation ReportMetrics($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    accepted\n    duplicates\n    cursor\n    stopRequested\n    warnings\n  }\n}": typeof types.ReportMetricsDocument,
    "mutation ReportOutput($input: ReportOutputInput!) {\n  reportOutput(input: $input) {\n    accepted\n    duplicates\n  }\n}": typeof types.ReportOutputDocument,
    "mutation ReportRun($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    stopRequested\n    warnings\n  }\n}": typeof types.ReportRunDocument,
    "query Server {\n  server {\n    version\n    channelPrefixes\n    engine {\n      name\n      connected\n      latencyMs\n    }\n    trainers {\n      name\n      launcher\n      description\n    }\n  }\n}": typeof types.ServerDocument,
    "mutation StartRun($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      channelPrefix\n      id\n    }\n  }\n}": typeof types.StartRunDocument,
    "mutation StartTraining($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      ...TaskSummary\n    }\n  }\n}": typeof types.StartTrainingDocument,
    "query TaskDetails($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    channel\n    params\n    labels\n    startedBy\n  }\n}": typeof types.TaskDetailsDocument,
    "fragment OutputLineFields on OutputLine {\n  cursor\n  timestamp\n  stream\n  text\n  member\n  isCut\n  skip {\n    lines\n    reason\n  }\n}\n\nsubscription TaskOutput($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  taskOutput(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    ...OutputLineFields\n  }\n}\n\nquery TaskOutputPage($id: ID!, $channelPrefix: String, $first: Int, $after: Cursor, $last: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    output(first: $first, after: $after, last: $last) {\n      edges {\n        node {\n          ...OutputLineFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        endCursor\n      }\n    }\n  }\n}": typeof types.OutputLineFieldsFragmentDoc,
    "subscription TaskProgress($taskId: ID!, $channelPrefix: String, $minIntervalMs: Int) {\n  taskProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    minIntervalMs: $minIntervalMs\n  ) {\n    taskId\n    channel\n    status\n    current\n    total\n    progress\n    stage\n    message\n    metrics\n    etaSeconds\n    result\n    error {\n      message\n      type\n    }\n    timestamp\n    cursor\n  }\n}": typeof types.TaskProgressDocument,
    "query TaskSeries($id: ID!, $channelPrefix: String, $names: [String!], $phase: Phase, $member: String, $from: Float, $to: Float, $maxPoints: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n    series(\n      names: $names\n      phase: $phase\n      member: $member\n      from: $from\n      to: $to\n      maxPoints: $maxPoints\n    ) {\n      name\n      phase\n      member\n      axis\n      points {\n        step\n        epoch\n        value\n        timestamp\n        attempt\n      }\n    }\n  }\n}": typeof types.TaskSeriesDocument,
    "query TaskSparklines($ids: [ID!]!, $metrics: [String!]!, $first: Int!, $maxPoints: Int!) {\n  tasks(filter: {ids: $ids}, first: $first) {\n    edges {\n      node {\n        channel\n        series(names: $metrics, maxPoints: $maxPoints) {\n          phase\n          member\n          points {\n            value\n          }\n        }\n      }\n    }\n  }\n}": typeof types.TaskSparklinesDocument,
    "fragment TaskSummary on Task {\n  id\n  channelPrefix\n  channel\n  name\n  trainer\n  machineId\n  status\n  attempt\n  retryOf\n  stopRequested\n  stopReason\n  stage\n  current\n  total\n  progress\n  epoch\n  firstEpoch\n  totalEpochs\n  round\n  totalRounds\n  step\n  loss\n  metrics\n  message\n  etaSeconds\n  result\n  error {\n    message\n    type\n  }\n  createdAt\n  startedAt\n  updatedAt\n  finishedAt\n  cursor\n}": typeof types.TaskSummaryFragmentDoc,
    "subscription TaskUpdates($filter: TaskFilter, $minIntervalMs: Int, $finishedWithinSeconds: Int) {\n  taskUpdates(\n    filter: $filter\n    minIntervalMs: $minIntervalMs\n    finishedWithinSeconds: $finishedWithinSeconds\n  ) {\n    ...TaskSummary\n  }\n}": typeof types.TaskUpdatesDocument,
    "query Task($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n  }\n}": typeof types.TaskDocument,
    "query Tasks($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {\n  tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        ...TaskSummary\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": typeof types.TasksDocument,
    "query Trainers {\n  server {\n    channelPrefixes\n    trainers {\n      name\n      launcher\n      description\n      paramsSchema\n    }\n  }\n}": typeof types.TrainersDocument,
    "subscription TrainingProgress($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  trainingProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    __typename\n    taskId\n    timestamp\n    cursor\n    ... on ProgressUpdate {\n      current\n      total\n      progress\n      status\n      machineId\n      stage\n      epoch\n      step\n      member\n      loss\n      metrics\n      message\n    }\n    ... on EpochStarted {\n      epoch\n      totalEpochs\n      progress\n    }\n    ... on EpochEnded {\n      epoch\n      step\n      member\n      phase\n      progress\n      metrics\n    }\n    ... on RoundEnded {\n      round\n      totalRounds\n      progress\n      step\n      member\n      fitMetrics\n      evalMetrics\n    }\n    ... on StatusChanged {\n      status\n      attempt\n      stopRequested\n      message\n    }\n    ... on ErrorReported {\n      member\n      error\n      errorType\n    }\n    ... on SystemSampled {\n      member\n      metrics\n    }\n    ... on TrainingSucceeded {\n      result\n    }\n    ... on TrainingFailed {\n      error\n      errorType\n    }\n    ... on TrainingCancelled {\n      reason\n    }\n    ... on StreamOpened {\n      channel\n      message\n      task {\n        ...TaskSummary\n      }\n    }\n    ... on EventsSkipped {\n      count\n      skipReason\n    }\n    ... on StreamInterrupted {\n      error\n    }\n    ... on StreamTimedOut {\n      message\n    }\n    ... on StreamClosing {\n      reason\n    }\n  }\n}": typeof types.TrainingProgressDocument,
    "mutation UpdateTask($input: UpdateTaskInput!) {\n  updateTask(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}": typeof types.UpdateTaskDocument,
};
const documents: Documents = {
    "mutation CancelTraining($input: CancelTrainingInput!) {\n  cancelTraining(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}": types.CancelTrainingDocument,
    "mutation CreateViewLink($input: CreateViewLinkInput!) {\n  createViewLink(input: $input) {\n    token\n    url\n    expiresAt\n  }\n}": types.CreateViewLinkDocument,
    "mutation DeleteTask($input: DeleteTaskInput!) {\n  deleteTask(input: $input) {\n    taskId\n  }\n}": types.DeleteTaskDocument,
    "subscription Heartbeat($intervalMs: Int) {\n  heartbeat(intervalMs: $intervalMs) {\n    sequence\n    timestamp\n    uptimeSeconds\n    engine {\n      name\n      connected\n      latencyMs\n    }\n  }\n}": types.HeartbeatDocument,
    "mutation ReportMetrics($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    accepted\n    duplicates\n    cursor\n    stopRequested\n    warnings\n  }\n}": types.ReportMetricsDocument,
    "mutation ReportOutput($input: ReportOutputInput!) {\n  reportOutput(input: $input) {\n    accepted\n    duplicates\n  }\n}": types.ReportOutputDocument,
    "mutation ReportRun($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    stopRequested\n    warnings\n  }\n}": types.ReportRunDocument,
    "query Server {\n  server {\n    version\n    channelPrefixes\n    engine {\n      name\n      connected\n      latencyMs\n    }\n    trainers {\n      name\n      launcher\n      description\n    }\n  }\n}": types.ServerDocument,
    "mutation StartRun($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      channelPrefix\n      id\n    }\n  }\n}": types.StartRunDocument,
    "mutation StartTraining($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      ...TaskSummary\n    }\n  }\n}": types.StartTrainingDocument,
    "query TaskDetails($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    channel\n    params\n    labels\n    startedBy\n  }\n}": types.TaskDetailsDocument,
    "fragment OutputLineFields on OutputLine {\n  cursor\n  timestamp\n  stream\n  text\n  member\n  isCut\n  skip {\n    lines\n    reason\n  }\n}\n\nsubscription TaskOutput($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  taskOutput(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    ...OutputLineFields\n  }\n}\n\nquery TaskOutputPage($id: ID!, $channelPrefix: String, $first: Int, $after: Cursor, $last: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    output(first: $first, after: $after, last: $last) {\n      edges {\n        node {\n          ...OutputLineFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        endCursor\n      }\n    }\n  }\n}": types.OutputLineFieldsFragmentDoc,
    "subscription TaskProgress($taskId: ID!, $channelPrefix: String, $minIntervalMs: Int) {\n  taskProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    minIntervalMs: $minIntervalMs\n  ) {\n    taskId\n    channel\n    status\n    current\n    total\n    progress\n    stage\n    message\n    metrics\n    etaSeconds\n    result\n    error {\n      message\n      type\n    }\n    timestamp\n    cursor\n  }\n}": types.TaskProgressDocument,
    "query TaskSeries($id: ID!, $channelPrefix: String, $names: [String!], $phase: Phase, $member: String, $from: Float, $to: Float, $maxPoints: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n    series(\n      names: $names\n      phase: $phase\n      member: $member\n      from: $from\n      to: $to\n      maxPoints: $maxPoints\n    ) {\n      name\n      phase\n      member\n      axis\n      points {\n        step\n        epoch\n        value\n        timestamp\n        attempt\n      }\n    }\n  }\n}": types.TaskSeriesDocument,
    "query TaskSparklines($ids: [ID!]!, $metrics: [String!]!, $first: Int!, $maxPoints: Int!) {\n  tasks(filter: {ids: $ids}, first: $first) {\n    edges {\n      node {\n        channel\n        series(names: $metrics, maxPoints: $maxPoints) {\n          phase\n          member\n          points {\n            value\n          }\n        }\n      }\n    }\n  }\n}": types.TaskSparklinesDocument,
    "fragment TaskSummary on Task {\n  id\n  channelPrefix\n  channel\n  name\n  trainer\n  machineId\n  status\n  attempt\n  retryOf\n  stopRequested\n  stopReason\n  stage\n  current\n  total\n  progress\n  epoch\n  firstEpoch\n  totalEpochs\n  round\n  totalRounds\n  step\n  loss\n  metrics\n  message\n  etaSeconds\n  result\n  error {\n    message\n    type\n  }\n  createdAt\n  startedAt\n  updatedAt\n  finishedAt\n  cursor\n}": types.TaskSummaryFragmentDoc,
    "subscription TaskUpdates($filter: TaskFilter, $minIntervalMs: Int, $finishedWithinSeconds: Int) {\n  taskUpdates(\n    filter: $filter\n    minIntervalMs: $minIntervalMs\n    finishedWithinSeconds: $finishedWithinSeconds\n  ) {\n    ...TaskSummary\n  }\n}": types.TaskUpdatesDocument,
    "query Task($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n  }\n}": types.TaskDocument,
    "query Tasks($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {\n  tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        ...TaskSummary\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}": types.TasksDocument,
    "query Trainers {\n  server {\n    channelPrefixes\n    trainers {\n      name\n      launcher\n      description\n      paramsSchema\n    }\n  }\n}": types.TrainersDocument,
    "subscription TrainingProgress($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  trainingProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    __typename\n    taskId\n    timestamp\n    cursor\n    ... on ProgressUpdate {\n      current\n      total\n      progress\n      status\n      machineId\n      stage\n      epoch\n      step\n      member\n      loss\n      metrics\n      message\n    }\n    ... on EpochStarted {\n      epoch\n      totalEpochs\n      progress\n    }\n    ... on EpochEnded {\n      epoch\n      step\n      member\n      phase\n      progress\n      metrics\n    }\n    ... on RoundEnded {\n      round\n      totalRounds\n      progress\n      step\n      member\n      fitMetrics\n      evalMetrics\n    }\n    ... on StatusChanged {\n      status\n      attempt\n      stopRequested\n      message\n    }\n    ... on ErrorReported {\n      member\n      error\n      errorType\n    }\n    ... on SystemSampled {\n      member\n      metrics\n    }\n    ... on TrainingSucceeded {\n      result\n    }\n    ... on TrainingFailed {\n      error\n      errorType\n    }\n    ... on TrainingCancelled {\n      reason\n    }\n    ... on StreamOpened {\n      channel\n      message\n      task {\n        ...TaskSummary\n      }\n    }\n    ... on EventsSkipped {\n      count\n      skipReason\n    }\n    ... on StreamInterrupted {\n      error\n    }\n    ... on StreamTimedOut {\n      message\n    }\n    ... on StreamClosing {\n      reason\n    }\n  }\n}": types.TrainingProgressDocument,
    "mutation UpdateTask($input: UpdateTaskInput!) {\n  updateTask(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}": types.UpdateTaskDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CancelTraining($input: CancelTrainingInput!) {\n  cancelTraining(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}"): (typeof documents)["mutation CancelTraining($input: CancelTrainingInput!) {\n  cancelTraining(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation CreateViewLink($input: CreateViewLinkInput!) {\n  createViewLink(input: $input) {\n    token\n    url\n    expiresAt\n  }\n}"): (typeof documents)["mutation CreateViewLink($input: CreateViewLinkInput!) {\n  createViewLink(input: $input) {\n    token\n    url\n    expiresAt\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation DeleteTask($input: DeleteTaskInput!) {\n  deleteTask(input: $input) {\n    taskId\n  }\n}"): (typeof documents)["mutation DeleteTask($input: DeleteTaskInput!) {\n  deleteTask(input: $input) {\n    taskId\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription Heartbeat($intervalMs: Int) {\n  heartbeat(intervalMs: $intervalMs) {\n    sequence\n    timestamp\n    uptimeSeconds\n    engine {\n      name\n      connected\n      latencyMs\n    }\n  }\n}"): (typeof documents)["subscription Heartbeat($intervalMs: Int) {\n  heartbeat(intervalMs: $intervalMs) {\n    sequence\n    timestamp\n    uptimeSeconds\n    engine {\n      name\n      connected\n      latencyMs\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ReportMetrics($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    accepted\n    duplicates\n    cursor\n    stopRequested\n    warnings\n  }\n}"): (typeof documents)["mutation ReportMetrics($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    accepted\n    duplicates\n    cursor\n    stopRequested\n    warnings\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ReportOutput($input: ReportOutputInput!) {\n  reportOutput(input: $input) {\n    accepted\n    duplicates\n  }\n}"): (typeof documents)["mutation ReportOutput($input: ReportOutputInput!) {\n  reportOutput(input: $input) {\n    accepted\n    duplicates\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation ReportRun($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    stopRequested\n    warnings\n  }\n}"): (typeof documents)["mutation ReportRun($input: ReportMetricsInput!) {\n  reportMetrics(input: $input) {\n    stopRequested\n    warnings\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Server {\n  server {\n    version\n    channelPrefixes\n    engine {\n      name\n      connected\n      latencyMs\n    }\n    trainers {\n      name\n      launcher\n      description\n    }\n  }\n}"): (typeof documents)["query Server {\n  server {\n    version\n    channelPrefixes\n    engine {\n      name\n      connected\n      latencyMs\n    }\n    trainers {\n      name\n      launcher\n      description\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartRun($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      channelPrefix\n      id\n    }\n  }\n}"): (typeof documents)["mutation StartRun($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      channelPrefix\n      id\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation StartTraining($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      ...TaskSummary\n    }\n  }\n}"): (typeof documents)["mutation StartTraining($input: StartTrainingInput!) {\n  startTraining(input: $input) {\n    reportToken\n    task {\n      ...TaskSummary\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query TaskDetails($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    channel\n    params\n    labels\n    startedBy\n  }\n}"): (typeof documents)["query TaskDetails($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    channel\n    params\n    labels\n    startedBy\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment OutputLineFields on OutputLine {\n  cursor\n  timestamp\n  stream\n  text\n  member\n  isCut\n  skip {\n    lines\n    reason\n  }\n}\n\nsubscription TaskOutput($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  taskOutput(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    ...OutputLineFields\n  }\n}\n\nquery TaskOutputPage($id: ID!, $channelPrefix: String, $first: Int, $after: Cursor, $last: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    output(first: $first, after: $after, last: $last) {\n      edges {\n        node {\n          ...OutputLineFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        endCursor\n      }\n    }\n  }\n}"): (typeof documents)["fragment OutputLineFields on OutputLine {\n  cursor\n  timestamp\n  stream\n  text\n  member\n  isCut\n  skip {\n    lines\n    reason\n  }\n}\n\nsubscription TaskOutput($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  taskOutput(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    ...OutputLineFields\n  }\n}\n\nquery TaskOutputPage($id: ID!, $channelPrefix: String, $first: Int, $after: Cursor, $last: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    output(first: $first, after: $after, last: $last) {\n      edges {\n        node {\n          ...OutputLineFields\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        endCursor\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription TaskProgress($taskId: ID!, $channelPrefix: String, $minIntervalMs: Int) {\n  taskProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    minIntervalMs: $minIntervalMs\n  ) {\n    taskId\n    channel\n    status\n    current\n    total\n    progress\n    stage\n    message\n    metrics\n    etaSeconds\n    result\n    error {\n      message\n      type\n    }\n    timestamp\n    cursor\n  }\n}"): (typeof documents)["subscription TaskProgress($taskId: ID!, $channelPrefix: String, $minIntervalMs: Int) {\n  taskProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    minIntervalMs: $minIntervalMs\n  ) {\n    taskId\n    channel\n    status\n    current\n    total\n    progress\n    stage\n    message\n    metrics\n    etaSeconds\n    result\n    error {\n      message\n      type\n    }\n    timestamp\n    cursor\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query TaskSeries($id: ID!, $channelPrefix: String, $names: [String!], $phase: Phase, $member: String, $from: Float, $to: Float, $maxPoints: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n    series(\n      names: $names\n      phase: $phase\n      member: $member\n      from: $from\n      to: $to\n      maxPoints: $maxPoints\n    ) {\n      name\n      phase\n      member\n      axis\n      points {\n        step\n        epoch\n        value\n        timestamp\n        attempt\n      }\n    }\n  }\n}"): (typeof documents)["query TaskSeries($id: ID!, $channelPrefix: String, $names: [String!], $phase: Phase, $member: String, $from: Float, $to: Float, $maxPoints: Int) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n    series(\n      names: $names\n      phase: $phase\n      member: $member\n      from: $from\n      to: $to\n      maxPoints: $maxPoints\n    ) {\n      name\n      phase\n      member\n      axis\n      points {\n        step\n        epoch\n        value\n        timestamp\n        attempt\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query TaskSparklines($ids: [ID!]!, $metrics: [String!]!, $first: Int!, $maxPoints: Int!) {\n  tasks(filter: {ids: $ids}, first: $first) {\n    edges {\n      node {\n        channel\n        series(names: $metrics, maxPoints: $maxPoints) {\n          phase\n          member\n          points {\n            value\n          }\n        }\n      }\n    }\n  }\n}"): (typeof documents)["query TaskSparklines($ids: [ID!]!, $metrics: [String!]!, $first: Int!, $maxPoints: Int!) {\n  tasks(filter: {ids: $ids}, first: $first) {\n    edges {\n      node {\n        channel\n        series(names: $metrics, maxPoints: $maxPoints) {\n          phase\n          member\n          points {\n            value\n          }\n        }\n      }\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "fragment TaskSummary on Task {\n  id\n  channelPrefix\n  channel\n  name\n  trainer\n  machineId\n  status\n  attempt\n  retryOf\n  stopRequested\n  stopReason\n  stage\n  current\n  total\n  progress\n  epoch\n  firstEpoch\n  totalEpochs\n  round\n  totalRounds\n  step\n  loss\n  metrics\n  message\n  etaSeconds\n  result\n  error {\n    message\n    type\n  }\n  createdAt\n  startedAt\n  updatedAt\n  finishedAt\n  cursor\n}"): (typeof documents)["fragment TaskSummary on Task {\n  id\n  channelPrefix\n  channel\n  name\n  trainer\n  machineId\n  status\n  attempt\n  retryOf\n  stopRequested\n  stopReason\n  stage\n  current\n  total\n  progress\n  epoch\n  firstEpoch\n  totalEpochs\n  round\n  totalRounds\n  step\n  loss\n  metrics\n  message\n  etaSeconds\n  result\n  error {\n    message\n    type\n  }\n  createdAt\n  startedAt\n  updatedAt\n  finishedAt\n  cursor\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription TaskUpdates($filter: TaskFilter, $minIntervalMs: Int, $finishedWithinSeconds: Int) {\n  taskUpdates(\n    filter: $filter\n    minIntervalMs: $minIntervalMs\n    finishedWithinSeconds: $finishedWithinSeconds\n  ) {\n    ...TaskSummary\n  }\n}"): (typeof documents)["subscription TaskUpdates($filter: TaskFilter, $minIntervalMs: Int, $finishedWithinSeconds: Int) {\n  taskUpdates(\n    filter: $filter\n    minIntervalMs: $minIntervalMs\n    finishedWithinSeconds: $finishedWithinSeconds\n  ) {\n    ...TaskSummary\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Task($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n  }\n}"): (typeof documents)["query Task($id: ID!, $channelPrefix: String) {\n  task(id: $id, channelPrefix: $channelPrefix) {\n    ...TaskSummary\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Tasks($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {\n  tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        ...TaskSummary\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"): (typeof documents)["query Tasks($filter: TaskFilter, $orderBy: TaskOrder, $first: Int, $after: String) {\n  tasks(filter: $filter, orderBy: $orderBy, first: $first, after: $after) {\n    edges {\n      cursor\n      node {\n        ...TaskSummary\n      }\n    }\n    pageInfo {\n      hasNextPage\n      endCursor\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "query Trainers {\n  server {\n    channelPrefixes\n    trainers {\n      name\n      launcher\n      description\n      paramsSchema\n    }\n  }\n}"): (typeof documents)["query Trainers {\n  server {\n    channelPrefixes\n    trainers {\n      name\n      launcher\n      description\n      paramsSchema\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "subscription TrainingProgress($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  trainingProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    __typename\n    taskId\n    timestamp\n    cursor\n    ... on ProgressUpdate {\n      current\n      total\n      progress\n      status\n      machineId\n      stage\n      epoch\n      step\n      member\n      loss\n      metrics\n      message\n    }\n    ... on EpochStarted {\n      epoch\n      totalEpochs\n      progress\n    }\n    ... on EpochEnded {\n      epoch\n      step\n      member\n      phase\n      progress\n      metrics\n    }\n    ... on RoundEnded {\n      round\n      totalRounds\n      progress\n      step\n      member\n      fitMetrics\n      evalMetrics\n    }\n    ... on StatusChanged {\n      status\n      attempt\n      stopRequested\n      message\n    }\n    ... on ErrorReported {\n      member\n      error\n      errorType\n    }\n    ... on SystemSampled {\n      member\n      metrics\n    }\n    ... on TrainingSucceeded {\n      result\n    }\n    ... on TrainingFailed {\n      error\n      errorType\n    }\n    ... on TrainingCancelled {\n      reason\n    }\n    ... on StreamOpened {\n      channel\n      message\n      task {\n        ...TaskSummary\n      }\n    }\n    ... on EventsSkipped {\n      count\n      skipReason\n    }\n    ... on StreamInterrupted {\n      error\n    }\n    ... on StreamTimedOut {\n      message\n    }\n    ... on StreamClosing {\n      reason\n    }\n  }\n}"): (typeof documents)["subscription TrainingProgress($taskId: ID!, $channelPrefix: String, $after: Cursor, $last: Int) {\n  trainingProgress(\n    taskId: $taskId\n    channelPrefix: $channelPrefix\n    after: $after\n    last: $last\n  ) {\n    __typename\n    taskId\n    timestamp\n    cursor\n    ... on ProgressUpdate {\n      current\n      total\n      progress\n      status\n      machineId\n      stage\n      epoch\n      step\n      member\n      loss\n      metrics\n      message\n    }\n    ... on EpochStarted {\n      epoch\n      totalEpochs\n      progress\n    }\n    ... on EpochEnded {\n      epoch\n      step\n      member\n      phase\n      progress\n      metrics\n    }\n    ... on RoundEnded {\n      round\n      totalRounds\n      progress\n      step\n      member\n      fitMetrics\n      evalMetrics\n    }\n    ... on StatusChanged {\n      status\n      attempt\n      stopRequested\n      message\n    }\n    ... on ErrorReported {\n      member\n      error\n      errorType\n    }\n    ... on SystemSampled {\n      member\n      metrics\n    }\n    ... on TrainingSucceeded {\n      result\n    }\n    ... on TrainingFailed {\n      error\n      errorType\n    }\n    ... on TrainingCancelled {\n      reason\n    }\n    ... on StreamOpened {\n      channel\n      message\n      task {\n        ...TaskSummary\n      }\n    }\n    ... on EventsSkipped {\n      count\n      skipReason\n    }\n    ... on StreamInterrupted {\n      error\n    }\n    ... on StreamTimedOut {\n      message\n    }\n    ... on StreamClosing {\n      reason\n    }\n  }\n}"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "mutation UpdateTask($input: UpdateTaskInput!) {\n  updateTask(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}"): (typeof documents)["mutation UpdateTask($input: UpdateTaskInput!) {\n  updateTask(input: $input) {\n    task {\n      ...TaskSummary\n    }\n  }\n}"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;