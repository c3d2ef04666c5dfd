/**
 * Bounds on what one call may carry and one task may hold. They are part of the API: every client can
 * rely on them. Bounds that depend on the machine are in `config.ts`.
 */
export const LIMITS = {
  /** Reports in one `reportMetrics` call. */
  reportsPerCall: 1000,
  /** Names in one map of metrics; those beyond are left out. */
  metricsPerReport: 256,
  /** Different metric names of one task's own, in its state. */
  metricsPerTask: 1024,
  /** Of one map or list at a door whose senders are not told; which of them count is only known with the task. */
  metricsLookedAt: 10_000,
  metricNameLength: 128,
  /** Producers that may number their reports within one attempt of a task. */
  producersPerAttempt: 1024,
  producerLength: 128,
  memberLength: 128,
  /** Members that may report to one task, over all its attempts. */
  membersPerTask: 1024,
  /** Series of a task's members: their number times that of the metrics that any of them reports. */
  seriesPerTask: 16_384,
  taskIdLength: 128,
  channelPrefixLength: 64,
  machineIdLength: 128,
  trainerNameLength: 64,
  taskNameLength: 256,
  idempotencyKeyLength: 256,
  stageLength: 128,
  messageLength: 4096,
  errorLength: 16_384,
  errorTypeLength: 256,
  reasonLength: 1024,
  cursorLength: 256,
  /** Lists and objects within one another in a JSON value; what writes it again goes as deep. */
  jsonDepth: 64,
  /** Lists and objects in a text that is to be parsed: with nothing but them, it takes ten times as long as others of its size. */
  jsonContainers: 131_072,
  /** Bytes of JSON. */
  resultBytes: 65_536,
  paramsBytes: 16_384,
  labelsBytes: 8_192,
  epochs: 1_000_000,
  rounds: 1_000_000,
  /** Replay asked for by `last`. */
  last: 100_000,
  tasksPage: { default: 50, max: 200 },
  eventsPage: { default: 100, max: 1000 },
  seriesNames: 64,
  /** In one series, and in all series of one answer. */
  seriesPoints: { default: 500, min: 10, max: 5000, answer: 50_000 },
  filterIds: 200,
  filterText: 256,
  filterWords: 16,
  /** Values in a filter's labels. */
  filterLabels: 32,
  /** Matching tasks of which one `taskUpdates` remembers that it sent them, to tell when they leave its filter. */
  filteredTasks: 10_000,
  finishedWithinSeconds: { default: 3600, max: 604_800 },
  minIntervalMs: 60_000,
  heartbeatMs: { default: 1000, min: 100, max: 60_000 },
  /** Characters in the text of one answer, about. */
  answerSize: 8 * 1024 * 1024,
  /** Characters of what is read for it, as JSON, about; fewer where only some of it is asked for. */
  answerReads: 64 * 1024 * 1024,
  queryDepth: 20,
  queryBreadth: 500,
  queryComplexity: 20_000,
  /** Characters of an operation's id, which its client chooses and every message to it carries. */
  operationIdLength: 256,
  /** Lexical tokens in one GraphQL document, comments included. */
  documentTokens: 5_000,
  /** Bytes of one GraphQL document; those that clients generate have less than 20 KB. */
  documentBytes: 65_536,
  /** Characters of a name in a document: of a field, an alias, a variable, a fragment. */
  documentNameLength: 128,
  /** Brackets of a document that are open at one place. */
  documentNesting: 64,
  documentOperations: 64,
  documentFragments: 128,
  /** Fields of all operations together, those of a fragment counted wherever it is spread. */
  documentFields: 1_000,
  /** Of the schema or a type, counted in the same way: each may be all of it, which is written at once. */
  documentIntrospections: 4,
  /** Aliases, counted in the same way. */
  documentAliases: 200,
  /** Times that one field (by its path of response keys) is selected in an operation. */
  fieldRepeats: 50,
  /** Different fields at the root of an operation. */
  rootFields: 64,
  operationVariables: 128,
  /** Bytes of JSON of the variables that an operation uses more than once, counted at each use. */
  repeatedVariablesBytes: 1_048_576,
  directivesPerNode: 8,
  /** Errors told of a document that does not fit the schema, and of variables that do not fit their types. */
  validationErrors: 10,
  /** Bytes of JSON of a subscription's variables, which are kept as long as it is. */
  subscriptionVariablesBytes: 65_536,
  /** Characters of a bearer token. */
  tokenLength: 8192,
  subjectLength: 256,
  /** Task ids, channel prefixes, labels and values of a label that a token names, each. */
  tokenNarrowing: 200,
  /** Time for which a report token is of use after its task has ended. */
  reportTokenAfterEndMs: 86_400_000,
  /** Characters of the name of a Celery task or queue. */
  celeryNameLength: 256,
  /** What a Celery task is called with by position. */
  celeryArguments: 64,
  /** Bytes of one message that a publisher sends on a task's Redis channel. */
  bridgeMessageBytes: 131_072,
  /** Machines of one task that are sampled, and different names of what is sampled. */
  machinesPerTask: 64,
  systemMetricsPerTask: 256,
  /** Lines in one `reportOutput` call, and bytes of UTF-8 in one of them; what is longer is cut. */
  outputLinesPerCall: 1000,
  outputLineBytes: 16_384,
  /** Producers that may send output of one attempt. */
  outputProducers: 256,
  /** Time for which output of a task that has ended is taken: what it still printed. */
  outputAfterEndMs: 600_000,
  outputPage: { default: 100, max: 1000 },
  viewLinkSeconds: { default: 86_400, min: 60, max: 31_536_000 },
} as const
