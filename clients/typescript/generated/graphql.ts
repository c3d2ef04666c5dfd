/* eslint-disable */
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';
export type Maybe<T> = T | null;
export type InputMaybe<T> = T | null | undefined;
export type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
export type MakeOptional<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]?: Maybe<T[SubKey]> };
export type MakeMaybe<T, K extends keyof T> = Omit<T, K> & { [SubKey in K]: Maybe<T[SubKey]> };
export type MakeEmpty<T extends { [key: string]: unknown }, K extends keyof T> = { [_ in K]?: never };
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
/** All built-in and custom scalars, mapped to their actual values */
export type Scalars = {
  ID: { input: string; output: string; }
  String: { input: string; output: string; }
  Boolean: { input: boolean; output: boolean; }
  Int: { input: number; output: number; }
  Float: { input: number; output: number; }
  /** A whole number from 0 to 2^53 - 1 (9007199254740991), a JSON number: steps and tokens outgrow Int. */
  Count: { input: number; output: number; }
  /** Opaque position in one task's event log. Pass the last one you saw as `after` to resume: nothing is lost and nothing is repeated. A cursor belongs to one task. */
  Cursor: { input: string; output: string; }
  /** RFC 3339 date-time in UTC with milliseconds, e.g. 2026-11-21T10:30:15.123Z. */
  DateTime: { input: string; output: string; }
  /** Any JSON value. Its numbers come out as they went in: one that a double does not hold (a whole number beyond 2^53 that would be rounded, or 1e400) is refused by name; send it as a string. Fractions are rounded as by every reader of JSON. At most 64 lists and objects within one another. */
  JSON: { input: unknown; output: unknown; }
  /** A measured number. Finite values are JSON numbers; the others are the strings "NaN", "Infinity" and "-Infinity" (the ProtoJSON convention), in and out, because a diverging loss must be seen. */
  MetricValue: { input: number | 'NaN' | 'Infinity' | '-Infinity'; output: number | 'NaN' | 'Infinity' | '-Infinity'; }
  /** A JSON object from metric name to MetricValue, e.g. {"loss": 0.15, "accuracy": 0.92}. Of more than 256 names in a report those beyond are left out, new names first, and the payload's warnings name them. */
  Metrics: { input: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>; output: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>; }
};

export type CancelTrainingInput = {
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  readonly reason?: InputMaybe<Scalars['String']['input']>;
  readonly taskId: Scalars['ID']['input'];
};

export type CancelTrainingPayload = {
  readonly __typename?: 'CancelTrainingPayload';
  readonly task: Task;
};

export type CreateViewLinkInput = {
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** 86400 by default, from 60 to 31536000. */
  readonly expiresInSeconds?: InputMaybe<Scalars['Int']['input']>;
  readonly taskId: Scalars['ID']['input'];
};

export type CreateViewLinkPayload = {
  readonly __typename?: 'CreateViewLinkPayload';
  readonly expiresAt?: Maybe<Scalars['DateTime']['output']>;
  /** Lets its bearer read this task, and nothing else. Null where the server runs without auth. */
  readonly token?: Maybe<Scalars['String']['output']>;
  /** A page that shows the task; the token is behind its #. */
  readonly url: Scalars['String']['output'];
};

export type DeleteTaskInput = {
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  readonly taskId: Scalars['ID']['input'];
};

export type DeleteTaskPayload = {
  readonly __typename?: 'DeleteTaskPayload';
  /** The id of the task that is gone. */
  readonly taskId: Scalars['ID']['output'];
};

export type EngineStatus = {
  readonly __typename?: 'EngineStatus';
  readonly connected: Scalars['Boolean']['output'];
  /** Round trip to the engine. */
  readonly latencyMs?: Maybe<Scalars['Float']['output']>;
  /** lmdb, memory or redis. */
  readonly name: Scalars['String']['output'];
};

export type EpochEndReportInput = {
  /** May be a fraction: 2.5 is half-way through the third epoch. A whole number is an epoch that has begun, or one that is done where fractions led to it. */
  readonly epoch: Scalars['Float']['input'];
  readonly metrics: Scalars['Metrics']['input'];
  readonly phase: Phase;
  /** The trainer's global step by then. */
  readonly step?: InputMaybe<Scalars['Count']['input']>;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

export type EpochEnded = TrainingEvent & {
  readonly __typename?: 'EpochEnded';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Always given here; nullable as in the other events that have it, so that one document can ask for all of them. */
  readonly epoch?: Maybe<Scalars['Float']['output']>;
  /** The rank, client or node that reported it, where it said so. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly metrics: Scalars['Metrics']['output'];
  readonly phase: Phase;
  /** 0 to 100: of the task after it (see `Task.progress`), or of the member that reported it. */
  readonly progress?: Maybe<Scalars['Float']['output']>;
  /** The trainer's global step, where it gave one. */
  readonly step?: Maybe<Scalars['Count']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type EpochStartReportInput = {
  readonly epoch: Scalars['Int']['input'];
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
  /** Left as it was where not given; null makes it unknown again. */
  readonly totalEpochs?: InputMaybe<Scalars['Int']['input']>;
};

export type EpochStarted = TrainingEvent & {
  readonly __typename?: 'EpochStarted';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Always given here; nullable as in the other events that have it, so that one document can ask for all of them. */
  readonly epoch?: Maybe<Scalars['Float']['output']>;
  /** 0 to 100: of the task after it (see `Task.progress`), or of the member that reported it. */
  readonly progress?: Maybe<Scalars['Float']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  /** As it is after the event, also where the report did not give it again. */
  readonly totalEpochs?: Maybe<Scalars['Int']['output']>;
};

export type ErrorReportInput = {
  /** Of more than 16384 characters only the end is kept, where a traceback says the most. */
  readonly error: Scalars['String']['input'];
  /** Of more than 256 characters only the beginning is kept. */
  readonly errorType?: InputMaybe<Scalars['String']['input']>;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

/** Something went wrong in the trainer; the task may still go on. */
export type ErrorReported = TrainingEvent & {
  readonly __typename?: 'ErrorReported';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly error: Scalars['String']['output'];
  readonly errorType?: Maybe<Scalars['String']['output']>;
  /** The rank, client or node that reported it, where it said so. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** Loss is never silent: these events can no longer be delivered. */
export type EventsSkipped = TrainingEvent & {
  readonly __typename?: 'EventsSkipped';
  /** How many, where it can be known. */
  readonly count?: Maybe<Scalars['Int']['output']>;
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly skipReason: SkipReason;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type Heartbeat = {
  readonly __typename?: 'Heartbeat';
  readonly engine: EngineStatus;
  /** 1, 2, 3 … within one subscription. */
  readonly sequence: Scalars['Int']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  readonly uptimeSeconds: Scalars['Float']['output'];
};

export type MetricPoint = {
  readonly __typename?: 'MetricPoint';
  /** The launch it was reported in. Where a later attempt reported the same or an earlier step, the points of earlier attempts from that step on are left out: a curve never folds back on itself. */
  readonly attempt: Scalars['Int']['output'];
  /** The epoch it belongs to, where that is known: one x that all series of a task share. */
  readonly epoch?: Maybe<Scalars['Float']['output']>;
  /** The report's `step` where it gave one; else its current, epoch or round (`MetricSeries.axis` says which). */
  readonly step: Scalars['Float']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  readonly value: Scalars['MetricValue']['output'];
};

export type MetricSeries = {
  readonly __typename?: 'MetricSeries';
  readonly axis: SeriesAxis;
  /** Null for the task's own; else the rank, client or node it belongs to. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly name: Scalars['String']['output'];
  /** Null for values that came with progress. Fit metrics of a federated round are TRAIN, those of its evaluation VAL. */
  readonly phase?: Maybe<Phase>;
  /** By step; points of one step in the order in which they were reported. */
  readonly points: ReadonlyArray<MetricPoint>;
};

export type Mutation = {
  readonly __typename?: 'Mutation';
  /** Asks the trainer to stop; a queued task never starts. A trainer that does not stop by itself is ended. Cancelling twice has no further effect. */
  readonly cancelTraining: CancelTrainingPayload;
  /** A link by which one task can be watched by whoever has it, for a time. */
  readonly createViewLink: CreateViewLinkPayload;
  /** Drops a finished task with its log and curves; refused (TASK_NOT_ENDED) before its end. One that was given up (Abandoned) has ended: a trainer of it that is still there has nowhere to report to. Its idempotencyKey may then start another. */
  readonly deleteTask: DeleteTaskPayload;
  /** Appends a trainer's reports to its task's log, in order, all or none. */
  readonly reportMetrics: ReportMetricsPayload;
  /** Appends lines that a trainer printed to its task's output, in order, all or none. No sign of life, and taken for ten minutes after the task's end, too. */
  readonly reportOutput: ReportOutputPayload;
  /** Creates a task and hands it to the trainer's launcher. Same idempotencyKey, same task. */
  readonly startTraining: StartTrainingPayload;
  /** Changes what people call a task, running or finished: name and labels. It is no event of the task. */
  readonly updateTask: UpdateTaskPayload;
};


export type MutationCancelTrainingArgs = {
  input: CancelTrainingInput;
};


export type MutationCreateViewLinkArgs = {
  input: CreateViewLinkInput;
};


export type MutationDeleteTaskArgs = {
  input: DeleteTaskInput;
};


export type MutationReportMetricsArgs = {
  input: ReportMetricsInput;
};


export type MutationReportOutputArgs = {
  input: ReportOutputInput;
};


export type MutationStartTrainingArgs = {
  input: StartTrainingInput;
};


export type MutationUpdateTaskArgs = {
  input: UpdateTaskInput;
};

/** A line that a trainer printed; or, where `skip` is given, a note in the place of lines that are missing. */
export type OutputLine = {
  readonly __typename?: 'OutputLine';
  /** Where the output is read on after it; one of `taskOutput` and `Task.output`, not of the task's events. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Whether more of the same line follows, or a newer state of it: it was longer than 16384 bytes, or had no end for a while. */
  readonly isCut: Scalars['Boolean']['output'];
  /** The rank, client or node that printed it. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly skip?: Maybe<OutputSkip>;
  /** Null for a note. */
  readonly stream?: Maybe<OutputStream>;
  readonly taskId: Scalars['ID']['output'];
  /** Without its line end; what is no UTF-8 is U+FFFD. Escape codes are left as they are: whoever shows them decides what they may do. Of a progress bar that is drawn over itself the last state. A note says in words what `skip` says. */
  readonly text: Scalars['String']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type OutputLineConnection = {
  readonly __typename?: 'OutputLineConnection';
  readonly edges: ReadonlyArray<Maybe<OutputLineEdge>>;
  readonly pageInfo: PageInfo;
};

export type OutputLineEdge = {
  readonly __typename?: 'OutputLineEdge';
  readonly cursor: Scalars['String']['output'];
  readonly node: OutputLine;
};

export type OutputLineInput = {
  /** Whether more of the same line follows. */
  readonly isCut?: InputMaybe<Scalars['Boolean']['input']>;
  readonly member?: InputMaybe<Scalars['String']['input']>;
  /** Lines that the sender left out here; `text` and `stream` are then of no meaning. */
  readonly skipped?: InputMaybe<Scalars['Int']['input']>;
  /** STDOUT where it is left out. */
  readonly stream?: InputMaybe<OutputStream>;
  /** Without its line end; of more than 16384 bytes of UTF-8 only the beginning is kept, and marked. */
  readonly text: Scalars['String']['input'];
  /** When it was printed, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

export type OutputSkip = {
  readonly __typename?: 'OutputSkip';
  /** How many are missing; null where that is not known. */
  readonly lines?: Maybe<Scalars['Count']['output']>;
  readonly reason: OutputSkipReason;
};

export type OutputSkipReason =
  /** The trainer printed more than is taken of it; the newest lines were kept. */
  | 'FLOOD'
  /** The store lost them: the cursor is from before. */
  | 'LOG_RESET'
  /** They are older than what is kept of one task. */
  | 'TRIMMED';

export type OutputStream =
  | 'STDERR'
  | 'STDOUT';

export type PageInfo = {
  readonly __typename?: 'PageInfo';
  readonly endCursor?: Maybe<Scalars['String']['output']>;
  readonly hasNextPage: Scalars['Boolean']['output'];
  readonly hasPreviousPage: Scalars['Boolean']['output'];
  readonly startCursor?: Maybe<Scalars['String']['output']>;
};

export type Phase =
  | 'TEST'
  | 'TRAIN'
  | 'VAL';

export type ProgressReportInput = {
  readonly current: Scalars['Count']['input'];
  /** May be a fraction: 2.5 is half-way through the third epoch. A whole number is an epoch that has begun, or one that is done where fractions led to it. */
  readonly epoch?: InputMaybe<Scalars['Float']['input']>;
  /** The same as `metrics.loss`: either is enough, and this one wins. */
  readonly loss?: InputMaybe<Scalars['MetricValue']['input']>;
  /** Of more than 4096 characters only the beginning is kept. */
  readonly message?: InputMaybe<Scalars['String']['input']>;
  readonly metrics?: InputMaybe<Scalars['Metrics']['input']>;
  /** Of more than 128 characters only the beginning is kept. */
  readonly stage?: InputMaybe<Scalars['String']['input']>;
  /** Global step, where `current` counts something else. */
  readonly step?: InputMaybe<Scalars['Count']['input']>;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
  /** Left as it was where not given; null makes it unknown again. */
  readonly total?: InputMaybe<Scalars['Count']['input']>;
};

export type ProgressUpdate = TrainingEvent & {
  readonly __typename?: 'ProgressUpdate';
  readonly current: Scalars['Count']['output'];
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** May be a fraction: 2.5 is half-way through the third. */
  readonly epoch?: Maybe<Scalars['Float']['output']>;
  readonly loss?: Maybe<Scalars['MetricValue']['output']>;
  readonly machineId?: Maybe<Scalars['ID']['output']>;
  /** The rank, client or node that reported it, where it said so. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly message?: Maybe<Scalars['String']['output']>;
  readonly metrics: Scalars['Metrics']['output'];
  /** 0 to 100: of the task after it (see `Task.progress`), or of the member that reported it. */
  readonly progress?: Maybe<Scalars['Float']['output']>;
  readonly stage?: Maybe<Scalars['String']['output']>;
  readonly status: TaskStatus;
  /** The trainer's global step, where it gave one. */
  readonly step?: Maybe<Scalars['Count']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  /** As it is after the event, also where the report did not give it again. */
  readonly total?: Maybe<Scalars['Count']['output']>;
};

export type Query = {
  readonly __typename?: 'Query';
  readonly server: ServerInfo;
  /** One task, or null. Without a channelPrefix it is looked for under each prefix of the server, in their order. */
  readonly task?: Maybe<Task>;
  /** Newest first, or as `orderBy` says. */
  readonly tasks: TaskConnection;
};


export type QueryTaskArgs = {
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  id: Scalars['ID']['input'];
};


export type QueryTasksArgs = {
  after?: InputMaybe<Scalars['String']['input']>;
  filter?: InputMaybe<TaskFilter>;
  first?: InputMaybe<Scalars['Int']['input']>;
  orderBy?: InputMaybe<TaskOrder>;
};

export type ReportInput =
  { readonly epochEnd: EpochEndReportInput; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  { readonly epochEnd?: never; readonly epochStart: EpochStartReportInput; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  /** The task goes on. */
  { readonly epochEnd?: never; readonly epochStart?: never; readonly error: ErrorReportInput; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  /** Final. Of a task that was asked to stop it is the cancellation, with this error in its reason. */
  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure: ErrorReportInput; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress: ProgressReportInput; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd: RoundEndReportInput; readonly status?: never; readonly success?: never; readonly system?: never; }
  |  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status: StatusReportInput; readonly success?: never; readonly system?: never; }
  |  /** Final. */
  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success: SuccessReportInput; readonly system?: never; }
  |  /** Charted by time for the machine that `member` names. No sign of life, and nothing of the task's progress. */
  { readonly epochEnd?: never; readonly epochStart?: never; readonly error?: never; readonly failure?: never; readonly progress?: never; readonly roundEnd?: never; readonly status?: never; readonly success?: never; readonly system: SystemReportInput; };

export type ReportMetricsInput = {
  /** The attempt this trainer was launched as; reports of an older attempt are refused, one of a newer attempt begins that attempt. */
  readonly attempt?: InputMaybe<Scalars['Int']['input']>;
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** Position of reports[0] in the producer's own count: 1, 2, 3 … A call whose reply was lost is repeated with the same content, alone or with more reports after it; that is recognised for the last two calls of a producer, or the last four of one report each. */
  readonly firstSequence?: InputMaybe<Scalars['Int']['input']>;
  /** The rank, client or node that these reports come from. They keep series of their own and leave the task's progress and latest metrics to whoever reports without. A member reports progress, epochEnd, roundEnd, error and system; starts and ends are refused, they are not a member's to report. An end is one for all members: report it after the barrier, or what they have yet to report is refused with TASK_ENDED. */
  readonly member?: InputMaybe<Scalars['String']['input']>;
  /** Names this trainer process; with firstSequence it makes a repeated call harmless. Each process needs a name of its own, with a random part: another that counts from 1 again is refused (SEQUENCE_CONFLICT). */
  readonly producer?: InputMaybe<Scalars['String']['input']>;
  /** 0 to 1000, applied in order. None: only asks whether to stop. */
  readonly reports: ReadonlyArray<ReportInput>;
  readonly taskId: Scalars['ID']['input'];
};

export type ReportMetricsPayload = {
  readonly __typename?: 'ReportMetricsPayload';
  /** Reports appended by this call. */
  readonly accepted: Scalars['Int']['output'];
  /** Position after the newest accepted report. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Reports that an earlier, repeated call had already appended. */
  readonly duplicates: Scalars['Int']['output'];
  /** True once somebody cancelled the task: the trainer should stop. A call without reports also gets it for a task that has ended, whatever its end. */
  readonly stopRequested: Scalars['Boolean']['output'];
  /** What was left out or cut, and why; empty where everything was taken as it came. */
  readonly warnings: ReadonlyArray<Scalars['String']['output']>;
};

export type ReportOutputInput = {
  /** The attempt that printed them; output of an older attempt is refused. */
  readonly attempt?: InputMaybe<Scalars['Int']['input']>;
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** Position of lines[0] in the producer's own count: 1, 2, 3 … A call whose reply was lost is repeated with the same content. */
  readonly firstSequence?: InputMaybe<Scalars['Int']['input']>;
  readonly lines: ReadonlyArray<OutputLineInput>;
  /** Names the process that sends; another than any before it, with a random part. With firstSequence, a call may be repeated without harm. */
  readonly producer?: InputMaybe<Scalars['String']['input']>;
  readonly taskId: Scalars['ID']['input'];
};

export type ReportOutputPayload = {
  readonly __typename?: 'ReportOutputPayload';
  /** Lines appended by this call. */
  readonly accepted: Scalars['Int']['output'];
  /** Where the output ends now. */
  readonly cursor?: Maybe<Scalars['Cursor']['output']>;
  /** Lines that an earlier, repeated call had already appended. */
  readonly duplicates: Scalars['Int']['output'];
  /** True once somebody cancelled the task, and after its end: the trainer should stop. */
  readonly stopRequested: Scalars['Boolean']['output'];
};

export type RoundEndReportInput = {
  readonly evalMetrics?: InputMaybe<Scalars['Metrics']['input']>;
  readonly fitMetrics?: InputMaybe<Scalars['Metrics']['input']>;
  readonly round: Scalars['Int']['input'];
  /** The trainer's global step by then. */
  readonly step?: InputMaybe<Scalars['Count']['input']>;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
  /** Left as it was where not given; null makes it unknown again. */
  readonly totalRounds?: InputMaybe<Scalars['Int']['input']>;
};

/** One round of federated learning. */
export type RoundEnded = TrainingEvent & {
  readonly __typename?: 'RoundEnded';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly evalMetrics: Scalars['Metrics']['output'];
  readonly fitMetrics: Scalars['Metrics']['output'];
  /** The rank, client or node that reported it, where it said so. */
  readonly member?: Maybe<Scalars['String']['output']>;
  /** 0 to 100: of the task after it (see `Task.progress`), or of the member that reported it. */
  readonly progress?: Maybe<Scalars['Float']['output']>;
  readonly round: Scalars['Int']['output'];
  /** The trainer's global step, where it gave one. */
  readonly step?: Maybe<Scalars['Count']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  /** As it is after the event, also where the report did not give it again. */
  readonly totalRounds?: Maybe<Scalars['Int']['output']>;
};

/** What `MetricPoint.step` counts. */
export type SeriesAxis =
  | 'EPOCH'
  | 'ROUND'
  /** The trainer's global step, or the progress's `current`. */
  | 'STEP'
  /** Seconds since 1970: of machines, which know no step. */
  | 'TIME';

export type ServerInfo = {
  readonly __typename?: 'ServerInfo';
  readonly channelPrefixes: ReadonlyArray<Scalars['String']['output']>;
  readonly engine: EngineStatus;
  readonly trainers: ReadonlyArray<Trainer>;
  readonly version: Scalars['String']['output'];
};

export type SkipReason =
  /** The log was recreated (the store lost its data): the cursor is from an earlier log. */
  | 'LOG_RESET'
  /** The cursor points before the oldest event that is still retained. */
  | 'TRIMMED';

export type StartTrainingInput = {
  /** The trainer's own by default, or else the server's first. */
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** The trainer gets it as parameter epochs. */
  readonly epochs?: InputMaybe<Scalars['Int']['input']>;
  /** The same key gives the same task, however often the call is repeated. */
  readonly idempotencyKey?: InputMaybe<Scalars['String']['input']>;
  /** Anything that helps to find the task again; kept as it is. */
  readonly labels?: InputMaybe<Scalars['JSON']['input']>;
  /** The machine that the training is about; the trainer gets it as parameter machine_id. */
  readonly machineId?: InputMaybe<Scalars['ID']['input']>;
  /** For people; any text, not unique. */
  readonly name?: InputMaybe<Scalars['String']['input']>;
  /** An object with the trainer's further parameters, checked against its JSON Schema. */
  readonly params?: InputMaybe<Scalars['JSON']['input']>;
  /** A finished task to repeat: its trainer, parameters, machine, labels and channelPrefix, where none are given here. A parameter that is given replaces that of the same name. */
  readonly retryOf?: InputMaybe<Scalars['ID']['input']>;
  /** A trainer of this server's configuration; `external` registers a run that trains elsewhere. Left out, it is the configuration's default. */
  readonly trainer?: InputMaybe<Scalars['String']['input']>;
};

export type StartTrainingPayload = {
  readonly __typename?: 'StartTrainingPayload';
  /** Lets its bearer report to this task and nothing else. Null where the server runs without auth. */
  readonly reportToken?: Maybe<Scalars['String']['output']>;
  readonly task: Task;
};

export type StatusChanged = TrainingEvent & {
  readonly __typename?: 'StatusChanged';
  /** The launch that the task is in now. */
  readonly attempt: Scalars['Int']['output'];
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly message?: Maybe<Scalars['String']['output']>;
  readonly status: TaskStatus;
  /** Somebody asked the trainer to stop, and it has yet to. */
  readonly stopRequested: Scalars['Boolean']['output'];
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** RUNNING, or a final status where the trainer has nothing more to say about its end. */
export type StatusReportInput = {
  /** Of more than 4096 characters only the beginning is kept. */
  readonly message?: InputMaybe<Scalars['String']['input']>;
  readonly status: TaskStatus;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

/** The task has ended, all of it was delivered, and the stream completes. */
export type StreamClosing = TrainingEvent & {
  readonly __typename?: 'StreamClosing';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Always given here; nullable as in the other events that have it, so that one document can ask for all of them. */
  readonly reason?: Maybe<Scalars['String']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** The engine is out of reach; the stream goes on by itself, without a gap, when it is back. */
export type StreamInterrupted = TrainingEvent & {
  readonly __typename?: 'StreamInterrupted';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly error: Scalars['String']['output'];
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** The first event of every stream. */
export type StreamOpened = TrainingEvent & {
  readonly __typename?: 'StreamOpened';
  readonly channel: Scalars['String']['output'];
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Always given here; nullable as in the other events that have it, so that one document can ask for all of them. */
  readonly message?: Maybe<Scalars['String']['output']>;
  /** The task as it is now, so that a viewer can draw before the first event. */
  readonly task: Task;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** The maximum duration is over and the stream completes; subscribe again with the cursor. */
export type StreamTimedOut = TrainingEvent & {
  readonly __typename?: 'StreamTimedOut';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** Always given here; nullable as in the other events that have it, so that one document can ask for all of them. */
  readonly message?: Maybe<Scalars['String']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type Subscription = {
  readonly __typename?: 'Subscription';
  /** A beat every intervalMs (default 1000): proves the path from client to engine. */
  readonly heartbeat: Heartbeat;
  /** What a task's trainers print, line by line, in order, without loss or repetition but for what `OutputLine.skip` announces. Replays what `after` or `last` asks for, follows live, and completes once the task has ended and nothing was printed for two seconds (EPOCHCAST_OUTPUT_QUIET_SECONDS). */
  readonly taskOutput: OutputLine;
  /** The current state of any task (training, LLM, batch …) under an allowed channel prefix. Conflated: a slow or throttled reader gets the newest state, never a backlog. Completes after the final state. */
  readonly taskProgress: TaskProgress;
  /** Changes of all tasks that match, conflated per task: one subscription for a whole monitor. Opens with the matching tasks that are unfinished or ended within `finishedWithinSeconds`, so that a client that was away learns of the ends it missed; with those of `filter.ids` whatever their status. A task that leaves the filter is sent once more, as it is then; one that is deleted is not sent again. */
  readonly taskUpdates: Task;
  /** Every event of one training task, in order, without loss or repetition. Opens with StreamOpened, replays what `after` or `last` asks for, follows the log live, and completes by itself after the task's final event (StreamClosing) or after the maximum duration (StreamTimedOut). */
  readonly trainingProgress: TrainingEvent;
};


export type SubscriptionHeartbeatArgs = {
  intervalMs?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionTaskOutputArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  taskId: Scalars['ID']['input'];
};


export type SubscriptionTaskProgressArgs = {
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  minIntervalMs?: InputMaybe<Scalars['Int']['input']>;
  taskId: Scalars['ID']['input'];
};


export type SubscriptionTaskUpdatesArgs = {
  filter?: InputMaybe<TaskFilter>;
  finishedWithinSeconds?: InputMaybe<Scalars['Int']['input']>;
  minIntervalMs?: InputMaybe<Scalars['Int']['input']>;
};


export type SubscriptionTrainingProgressArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
  taskId: Scalars['ID']['input'];
};

export type SuccessReportInput = {
  /** At most 65536 bytes of JSON. A larger one is refused with RESULT_TOO_LARGE; report success without it then, or with where it is stored. */
  readonly result?: InputMaybe<Scalars['JSON']['input']>;
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

/** How the machine stands that a trainer runs on. */
export type SystemReportInput = {
  /** Names begin with `system/`, such as `system/cpu_percent`. */
  readonly metrics: Scalars['Metrics']['input'];
  /** When it happened, by the trainer's clock; the server's time where it is left out. */
  readonly timestamp?: InputMaybe<Scalars['DateTime']['input']>;
};

/** How a machine stood that a trainer runs on; no sign of life of the trainer. */
export type SystemSampled = TrainingEvent & {
  readonly __typename?: 'SystemSampled';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The machine. */
  readonly member?: Maybe<Scalars['String']['output']>;
  readonly metrics: Scalars['Metrics']['output'];
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** One training: its latest state, and the way to its history. */
export type Task = {
  readonly __typename?: 'Task';
  /** Counts launches: 1 at first, more where a launcher retried. */
  readonly attempt: Scalars['Int']['output'];
  /** channelPrefix:id, also the Redis channel that carries the task's events. */
  readonly channel: Scalars['String']['output'];
  readonly channelPrefix: Scalars['String']['output'];
  readonly createdAt: Scalars['DateTime']['output'];
  readonly current?: Maybe<Scalars['Count']['output']>;
  /** Position of the newest event. */
  readonly cursor: Scalars['Cursor']['output'];
  /** The epoch that was reported last, begun or ended, by the number that the trainer gives it; or, as a fraction, how many are done. */
  readonly epoch?: Maybe<Scalars['Float']['output']>;
  /** Of this attempt. Its type is Abandoned where the trainer was not heard for too long; a report of it then brings the task back. */
  readonly error?: Maybe<TaskError>;
  /** Time left as of `updatedAt`, at the speed of the progress made in this attempt since its first report; null until there is some. What lies further back counts less. */
  readonly etaSeconds?: Maybe<Scalars['Float']['output']>;
  /** The retained log, oldest first. Where events after `after` can no longer be read, the first edge is EventsSkipped, with the cursor from which the rest goes on; hasPreviousPage is true wherever there were events before, retained or not. */
  readonly events: TrainingEventConnection;
  readonly finishedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The number of the trainer's first epoch: 0 where it has reported an epoch 0, else 1. */
  readonly firstEpoch: Scalars['Int']['output'];
  readonly id: Scalars['ID']['output'];
  readonly labels?: Maybe<Scalars['JSON']['output']>;
  readonly loss?: Maybe<Scalars['MetricValue']['output']>;
  readonly machineId?: Maybe<Scalars['ID']['output']>;
  /** What the trainer said last, in this attempt. */
  readonly message?: Maybe<Scalars['String']['output']>;
  /** The latest value of every metric. Those of a validation phase are named val_…, of a test phase test_…, of a federated evaluation eval_…. */
  readonly metrics: Scalars['Metrics']['output'];
  /** For people; any text, not unique. */
  readonly name?: Maybe<Scalars['String']['output']>;
  /** What is kept of what its trainers printed, oldest first. Where lines after `after` are no longer kept, the first edge is a note. */
  readonly output: OutputLineConnection;
  /** What the trainer was given: the start's parameters with the trainer's defaults filled in. */
  readonly params: Scalars['JSON']['output'];
  /** 0 to 100, of the finest that the present attempt counts with a total: steps (`current` of `total`), else epochs that are done, else rounds. */
  readonly progress?: Maybe<Scalars['Float']['output']>;
  readonly result?: Maybe<Scalars['JSON']['output']>;
  /** The finished task that this one repeats. */
  readonly retryOf?: Maybe<Scalars['ID']['output']>;
  readonly round?: Maybe<Scalars['Int']['output']>;
  /** Metric histories of the task's whole life for a chart, whatever the log has trimmed, thinned so that every spike and every first NaN or Infinity survives. With `cursor` in the same selection there is no seam: the series hold every event up to that cursor and none after it. */
  readonly series: ReadonlyArray<MetricSeries>;
  readonly stage?: Maybe<Scalars['String']['output']>;
  readonly startedAt?: Maybe<Scalars['DateTime']['output']>;
  /** The subject of the token by which it was started; null where the server runs without auth. */
  readonly startedBy?: Maybe<Scalars['String']['output']>;
  readonly status: TaskStatus;
  /** The highest global step that the present attempt reported. */
  readonly step?: Maybe<Scalars['Count']['output']>;
  /** Why it was to stop, or was stopped. */
  readonly stopReason?: Maybe<Scalars['String']['output']>;
  /** Somebody asked the trainer to stop, and it has yet to. */
  readonly stopRequested: Scalars['Boolean']['output'];
  readonly total?: Maybe<Scalars['Count']['output']>;
  readonly totalEpochs?: Maybe<Scalars['Int']['output']>;
  readonly totalRounds?: Maybe<Scalars['Int']['output']>;
  readonly trainer?: Maybe<Scalars['String']['output']>;
  readonly updatedAt: Scalars['DateTime']['output'];
};


/** One training: its latest state, and the way to its history. */
export type TaskEventsArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
};


/** One training: its latest state, and the way to its history. */
export type TaskOutputArgs = {
  after?: InputMaybe<Scalars['Cursor']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
};


/** One training: its latest state, and the way to its history. */
export type TaskSeriesArgs = {
  from?: InputMaybe<Scalars['Float']['input']>;
  maxPoints?: InputMaybe<Scalars['Int']['input']>;
  member?: InputMaybe<Scalars['String']['input']>;
  names?: InputMaybe<ReadonlyArray<Scalars['String']['input']>>;
  phase?: InputMaybe<Phase>;
  to?: InputMaybe<Scalars['Float']['input']>;
};

export type TaskConnection = {
  readonly __typename?: 'TaskConnection';
  readonly edges: ReadonlyArray<Maybe<TaskEdge>>;
  readonly pageInfo: PageInfo;
};

export type TaskEdge = {
  readonly __typename?: 'TaskEdge';
  readonly cursor: Scalars['String']['output'];
  readonly node: Task;
};

export type TaskError = {
  readonly __typename?: 'TaskError';
  readonly message: Scalars['String']['output'];
  readonly type?: Maybe<Scalars['String']['output']>;
};

/** All conditions that are given must hold. */
export type TaskFilter = {
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** That very time is left out. */
  readonly createdAfter?: InputMaybe<Scalars['DateTime']['input']>;
  /** That very time is left out. */
  readonly createdBefore?: InputMaybe<Scalars['DateTime']['input']>;
  readonly ids?: InputMaybe<ReadonlyArray<Scalars['ID']['input']>>;
  /** Label values that must be there, e.g. {"team": "vision"}: strings, numbers and booleans, in objects as deep as the labels have them. */
  readonly labels?: InputMaybe<Scalars['JSON']['input']>;
  readonly machineId?: InputMaybe<Scalars['ID']['input']>;
  readonly statuses?: InputMaybe<ReadonlyArray<TaskStatus>>;
  /** Words, all of which occur in the task's name, id, trainer, machine or label values; case does not matter. */
  readonly text?: InputMaybe<Scalars['String']['input']>;
  readonly trainer?: InputMaybe<Scalars['String']['input']>;
};

export type TaskOrder =
  | 'CREATED_ASC'
  | 'CREATED_DESC'
  | 'UPDATED_DESC';

export type TaskProgress = {
  readonly __typename?: 'TaskProgress';
  readonly channel: Scalars['String']['output'];
  readonly current?: Maybe<Scalars['Count']['output']>;
  readonly cursor: Scalars['Cursor']['output'];
  readonly error?: Maybe<TaskError>;
  readonly etaSeconds?: Maybe<Scalars['Float']['output']>;
  readonly message?: Maybe<Scalars['String']['output']>;
  readonly metrics: Scalars['Metrics']['output'];
  readonly progress?: Maybe<Scalars['Float']['output']>;
  readonly result?: Maybe<Scalars['JSON']['output']>;
  readonly stage?: Maybe<Scalars['String']['output']>;
  readonly status: TaskStatus;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
  readonly total?: Maybe<Scalars['Count']['output']>;
};

export type TaskStatus =
  /** Final: it stopped because somebody asked it to. */
  | 'CANCELLED'
  /** Final: the trainer reported a failure, or came to an end without a result. */
  | 'FAILURE'
  /** Accepted, waiting for a trainer. */
  | 'QUEUED'
  /** A trainer is at work. */
  | 'RUNNING'
  /** Running, but its trainer has been silent for longer than the liveness window. */
  | 'STALLED'
  /** Final: the trainer reported success. */
  | 'SUCCESS';

export type Trainer = {
  readonly __typename?: 'Trainer';
  readonly description?: Maybe<Scalars['String']['output']>;
  /** local, bullmq, celery or external. */
  readonly launcher: Scalars['String']['output'];
  readonly name: Scalars['String']['output'];
  /** JSON Schema (draft-07) of the parameters of a start, for a form; null where it takes any. */
  readonly paramsSchema?: Maybe<Scalars['JSON']['output']>;
};

/** Final. */
export type TrainingCancelled = TrainingEvent & {
  readonly __typename?: 'TrainingCancelled';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly reason?: Maybe<Scalars['String']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** Something that happened to a training task, or to the stream that watches it. */
export type TrainingEvent = {
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type TrainingEventConnection = {
  readonly __typename?: 'TrainingEventConnection';
  readonly edges: ReadonlyArray<Maybe<TrainingEventEdge>>;
  readonly pageInfo: PageInfo;
};

export type TrainingEventEdge = {
  readonly __typename?: 'TrainingEventEdge';
  readonly cursor: Scalars['String']['output'];
  readonly node: TrainingEvent;
};

/** Final. Where errorType is Abandoned, its trainer was only not heard for too long: a report of it brings the task back with StatusChanged, and the log goes on after this event. */
export type TrainingFailed = TrainingEvent & {
  readonly __typename?: 'TrainingFailed';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly error: Scalars['String']['output'];
  readonly errorType?: Maybe<Scalars['String']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

/** Final. */
export type TrainingSucceeded = TrainingEvent & {
  readonly __typename?: 'TrainingSucceeded';
  /** Where the stream stands once this event is delivered. */
  readonly cursor: Scalars['Cursor']['output'];
  readonly result?: Maybe<Scalars['JSON']['output']>;
  readonly taskId: Scalars['ID']['output'];
  readonly timestamp: Scalars['DateTime']['output'];
};

export type UpdateTaskInput = {
  readonly channelPrefix?: InputMaybe<Scalars['String']['input']>;
  /** Replaces all labels where given; null takes them away. */
  readonly labels?: InputMaybe<Scalars['JSON']['input']>;
  /** Left as it is where not given; null takes the name away. */
  readonly name?: InputMaybe<Scalars['String']['input']>;
  readonly taskId: Scalars['ID']['input'];
};

export type UpdateTaskPayload = {
  readonly __typename?: 'UpdateTaskPayload';
  readonly task: Task;
};

export type CancelTrainingMutationVariables = Exact<{
  input: CancelTrainingInput;
}>;


export type CancelTrainingMutation = { readonly __typename?: 'Mutation', readonly cancelTraining: { readonly __typename?: 'CancelTrainingPayload', readonly task: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } } };

export type CreateViewLinkMutationVariables = Exact<{
  input: CreateViewLinkInput;
}>;


export type CreateViewLinkMutation = { readonly __typename?: 'Mutation', readonly createViewLink: { readonly __typename?: 'CreateViewLinkPayload', readonly token?: string | null, readonly url: string, readonly expiresAt?: string | null } };

export type DeleteTaskMutationVariables = Exact<{
  input: DeleteTaskInput;
}>;


export type DeleteTaskMutation = { readonly __typename?: 'Mutation', readonly deleteTask: { readonly __typename?: 'DeleteTaskPayload', readonly taskId: string } };

export type HeartbeatSubscriptionVariables = Exact<{
  intervalMs?: InputMaybe<Scalars['Int']['input']>;
}>;


export type HeartbeatSubscription = { readonly __typename?: 'Subscription', readonly heartbeat: { readonly __typename?: 'Heartbeat', readonly sequence: number, readonly timestamp: string, readonly uptimeSeconds: number, readonly engine: { readonly __typename?: 'EngineStatus', readonly name: string, readonly connected: boolean, readonly latencyMs?: number | null } } };

export type ReportMetricsMutationVariables = Exact<{
  input: ReportMetricsInput;
}>;


export type ReportMetricsMutation = { readonly __typename?: 'Mutation', readonly reportMetrics: { readonly __typename?: 'ReportMetricsPayload', readonly accepted: number, readonly duplicates: number, readonly cursor: string, readonly stopRequested: boolean, readonly warnings: ReadonlyArray<string> } };

export type ReportOutputMutationVariables = Exact<{
  input: ReportOutputInput;
}>;


export type ReportOutputMutation = { readonly __typename?: 'Mutation', readonly reportOutput: { readonly __typename?: 'ReportOutputPayload', readonly accepted: number, readonly duplicates: number } };

export type ReportRunMutationVariables = Exact<{
  input: ReportMetricsInput;
}>;


export type ReportRunMutation = { readonly __typename?: 'Mutation', readonly reportMetrics: { readonly __typename?: 'ReportMetricsPayload', readonly stopRequested: boolean, readonly warnings: ReadonlyArray<string> } };

export type ServerQueryVariables = Exact<{ [key: string]: never; }>;


export type ServerQuery = { readonly __typename?: 'Query', readonly server: { readonly __typename?: 'ServerInfo', readonly version: string, readonly channelPrefixes: ReadonlyArray<string>, readonly engine: { readonly __typename?: 'EngineStatus', readonly name: string, readonly connected: boolean, readonly latencyMs?: number | null }, readonly trainers: ReadonlyArray<{ readonly __typename?: 'Trainer', readonly name: string, readonly launcher: string, readonly description?: string | null }> } };

export type StartRunMutationVariables = Exact<{
  input: StartTrainingInput;
}>;


export type StartRunMutation = { readonly __typename?: 'Mutation', readonly startTraining: { readonly __typename?: 'StartTrainingPayload', readonly reportToken?: string | null, readonly task: { readonly __typename?: 'Task', readonly channelPrefix: string, readonly id: string } } };

export type StartTrainingMutationVariables = Exact<{
  input: StartTrainingInput;
}>;


export type StartTrainingMutation = { readonly __typename?: 'Mutation', readonly startTraining: { readonly __typename?: 'StartTrainingPayload', readonly reportToken?: string | null, readonly task: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } } };

export type TaskDetailsQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
}>;


export type TaskDetailsQuery = { readonly __typename?: 'Query', readonly task?: { readonly __typename?: 'Task', readonly channel: string, readonly params: unknown, readonly labels?: unknown | null, readonly startedBy?: string | null } | null };

export type OutputLineFieldsFragment = { readonly __typename?: 'OutputLine', readonly cursor: string, readonly timestamp: string, readonly stream?: OutputStream | null, readonly text: string, readonly member?: string | null, readonly isCut: boolean, readonly skip?: { readonly __typename?: 'OutputSkip', readonly lines?: number | null, readonly reason: OutputSkipReason } | null };

export type TaskOutputSubscriptionVariables = Exact<{
  taskId: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  after?: InputMaybe<Scalars['Cursor']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TaskOutputSubscription = { readonly __typename?: 'Subscription', readonly taskOutput: { readonly __typename?: 'OutputLine', readonly cursor: string, readonly timestamp: string, readonly stream?: OutputStream | null, readonly text: string, readonly member?: string | null, readonly isCut: boolean, readonly skip?: { readonly __typename?: 'OutputSkip', readonly lines?: number | null, readonly reason: OutputSkipReason } | null } };

export type TaskOutputPageQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['Cursor']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TaskOutputPageQuery = { readonly __typename?: 'Query', readonly task?: { readonly __typename?: 'Task', readonly output: { readonly __typename?: 'OutputLineConnection', readonly edges: ReadonlyArray<{ readonly __typename?: 'OutputLineEdge', readonly node: { readonly __typename?: 'OutputLine', readonly cursor: string, readonly timestamp: string, readonly stream?: OutputStream | null, readonly text: string, readonly member?: string | null, readonly isCut: boolean, readonly skip?: { readonly __typename?: 'OutputSkip', readonly lines?: number | null, readonly reason: OutputSkipReason } | null } } | null>, readonly pageInfo: { readonly __typename?: 'PageInfo', readonly hasNextPage: boolean, readonly hasPreviousPage: boolean, readonly endCursor?: string | null } } } | null };

export type TaskProgressSubscriptionVariables = Exact<{
  taskId: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  minIntervalMs?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TaskProgressSubscription = { readonly __typename?: 'Subscription', readonly taskProgress: { readonly __typename?: 'TaskProgress', readonly taskId: string, readonly channel: string, readonly status: TaskStatus, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly stage?: string | null, readonly message?: string | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly timestamp: string, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } };

export type TaskSeriesQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  names?: InputMaybe<ReadonlyArray<Scalars['String']['input']> | Scalars['String']['input']>;
  phase?: InputMaybe<Phase>;
  member?: InputMaybe<Scalars['String']['input']>;
  from?: InputMaybe<Scalars['Float']['input']>;
  to?: InputMaybe<Scalars['Float']['input']>;
  maxPoints?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TaskSeriesQuery = { readonly __typename?: 'Query', readonly task?: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly series: ReadonlyArray<{ readonly __typename?: 'MetricSeries', readonly name: string, readonly phase?: Phase | null, readonly member?: string | null, readonly axis: SeriesAxis, readonly points: ReadonlyArray<{ readonly __typename?: 'MetricPoint', readonly step: number, readonly epoch?: number | null, readonly value: number | 'NaN' | 'Infinity' | '-Infinity', readonly timestamp: string, readonly attempt: number }> }>, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } | null };

export type TaskSparklinesQueryVariables = Exact<{
  ids: ReadonlyArray<Scalars['ID']['input']> | Scalars['ID']['input'];
  metrics: ReadonlyArray<Scalars['String']['input']> | Scalars['String']['input'];
  first: Scalars['Int']['input'];
  maxPoints: Scalars['Int']['input'];
}>;


export type TaskSparklinesQuery = { readonly __typename?: 'Query', readonly tasks: { readonly __typename?: 'TaskConnection', readonly edges: ReadonlyArray<{ readonly __typename?: 'TaskEdge', readonly node: { readonly __typename?: 'Task', readonly channel: string, readonly series: ReadonlyArray<{ readonly __typename?: 'MetricSeries', readonly phase?: Phase | null, readonly member?: string | null, readonly points: ReadonlyArray<{ readonly __typename?: 'MetricPoint', readonly value: number | 'NaN' | 'Infinity' | '-Infinity' }> }> } } | null> } };

export type TaskSummaryFragment = { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null };

export type TaskUpdatesSubscriptionVariables = Exact<{
  filter?: InputMaybe<TaskFilter>;
  minIntervalMs?: InputMaybe<Scalars['Int']['input']>;
  finishedWithinSeconds?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TaskUpdatesSubscription = { readonly __typename?: 'Subscription', readonly taskUpdates: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } };

export type TaskQueryVariables = Exact<{
  id: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
}>;


export type TaskQuery = { readonly __typename?: 'Query', readonly task?: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } | null };

export type TasksQueryVariables = Exact<{
  filter?: InputMaybe<TaskFilter>;
  orderBy?: InputMaybe<TaskOrder>;
  first?: InputMaybe<Scalars['Int']['input']>;
  after?: InputMaybe<Scalars['String']['input']>;
}>;


export type TasksQuery = { readonly __typename?: 'Query', readonly tasks: { readonly __typename?: 'TaskConnection', readonly edges: ReadonlyArray<{ readonly __typename?: 'TaskEdge', readonly cursor: string, readonly node: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } } | null>, readonly pageInfo: { readonly __typename?: 'PageInfo', readonly hasNextPage: boolean, readonly endCursor?: string | null } } };

export type TrainersQueryVariables = Exact<{ [key: string]: never; }>;


export type TrainersQuery = { readonly __typename?: 'Query', readonly server: { readonly __typename?: 'ServerInfo', readonly channelPrefixes: ReadonlyArray<string>, readonly trainers: ReadonlyArray<{ readonly __typename?: 'Trainer', readonly name: string, readonly launcher: string, readonly description?: string | null, readonly paramsSchema?: unknown | null }> } };

export type TrainingProgressSubscriptionVariables = Exact<{
  taskId: Scalars['ID']['input'];
  channelPrefix?: InputMaybe<Scalars['String']['input']>;
  after?: InputMaybe<Scalars['Cursor']['input']>;
  last?: InputMaybe<Scalars['Int']['input']>;
}>;


export type TrainingProgressSubscription = { readonly __typename?: 'Subscription', readonly trainingProgress:
    | { readonly __typename: 'EpochEnded', readonly epoch?: number | null, readonly step?: number | null, readonly member?: string | null, readonly phase: Phase, readonly progress?: number | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'EpochStarted', readonly epoch?: number | null, readonly totalEpochs?: number | null, readonly progress?: number | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'ErrorReported', readonly member?: string | null, readonly error: string, readonly errorType?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'EventsSkipped', readonly count?: number | null, readonly skipReason: SkipReason, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'ProgressUpdate', readonly current: number, readonly total?: number | null, readonly progress?: number | null, readonly status: TaskStatus, readonly machineId?: string | null, readonly stage?: string | null, readonly epoch?: number | null, readonly step?: number | null, readonly member?: string | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'RoundEnded', readonly round: number, readonly totalRounds?: number | null, readonly progress?: number | null, readonly step?: number | null, readonly member?: string | null, readonly fitMetrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly evalMetrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'StatusChanged', readonly status: TaskStatus, readonly attempt: number, readonly stopRequested: boolean, readonly message?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'StreamClosing', readonly reason?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'StreamInterrupted', readonly error: string, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'StreamOpened', readonly channel: string, readonly message?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string, readonly task: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } }
    | { readonly __typename: 'StreamTimedOut', readonly message?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'SystemSampled', readonly member?: string | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'TrainingCancelled', readonly reason?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'TrainingFailed', readonly error: string, readonly errorType?: string | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
    | { readonly __typename: 'TrainingSucceeded', readonly result?: unknown | null, readonly taskId: string, readonly timestamp: string, readonly cursor: string }
   };

export type UpdateTaskMutationVariables = Exact<{
  input: UpdateTaskInput;
}>;


export type UpdateTaskMutation = { readonly __typename?: 'Mutation', readonly updateTask: { readonly __typename?: 'UpdateTaskPayload', readonly task: { readonly __typename?: 'Task', readonly id: string, readonly channelPrefix: string, readonly channel: string, readonly name?: string | null, readonly trainer?: string | null, readonly machineId?: string | null, readonly status: TaskStatus, readonly attempt: number, readonly retryOf?: string | null, readonly stopRequested: boolean, readonly stopReason?: string | null, readonly stage?: string | null, readonly current?: number | null, readonly total?: number | null, readonly progress?: number | null, readonly epoch?: number | null, readonly firstEpoch: number, readonly totalEpochs?: number | null, readonly round?: number | null, readonly totalRounds?: number | null, readonly step?: number | null, readonly loss?: number | 'NaN' | 'Infinity' | '-Infinity' | null, readonly metrics: Record<string, number | 'NaN' | 'Infinity' | '-Infinity'>, readonly message?: string | null, readonly etaSeconds?: number | null, readonly result?: unknown | null, readonly createdAt: string, readonly startedAt?: string | null, readonly updatedAt: string, readonly finishedAt?: string | null, readonly cursor: string, readonly error?: { readonly __typename?: 'TaskError', readonly message: string, readonly type?: string | null } | null } } };

export const OutputLineFieldsFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"OutputLineFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OutputLine"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"stream"}},{"kind":"Field","name":{"kind":"Name","value":"text"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"isCut"}},{"kind":"Field","name":{"kind":"Name","value":"skip"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"lines"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]} as unknown as DocumentNode<OutputLineFieldsFragment, unknown>;
export const TaskSummaryFragmentDoc = {"kind":"Document","definitions":[{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TaskSummaryFragment, unknown>;
export const CancelTrainingDocument = {"__meta__":{"hash":"a87b3e0d21157b84ca6646dccbd27184dd987142b95877cedda05c48f8c7c591"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CancelTraining"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CancelTrainingInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cancelTraining"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<CancelTrainingMutation, CancelTrainingMutationVariables>;
export const CreateViewLinkDocument = {"__meta__":{"hash":"8d0fd9ad95abb4fee54e41b52aa648a21c118ca67087653d6e84acbc51da9d94"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"CreateViewLink"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"CreateViewLinkInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"createViewLink"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"token"}},{"kind":"Field","name":{"kind":"Name","value":"url"}},{"kind":"Field","name":{"kind":"Name","value":"expiresAt"}}]}}]}}]} as unknown as DocumentNode<CreateViewLinkMutation, CreateViewLinkMutationVariables>;
export const DeleteTaskDocument = {"__meta__":{"hash":"dab3cdf4f30d27cc37df277d83b3ccaab07892f1d16cac8e11aa61d649c1d674"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"DeleteTask"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"DeleteTaskInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"deleteTask"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"taskId"}}]}}]}}]} as unknown as DocumentNode<DeleteTaskMutation, DeleteTaskMutationVariables>;
export const HeartbeatDocument = {"__meta__":{"hash":"edab1e8ea07b52cbde0a1c6b201fc5a55fe53932508060f111d853f97e0ada6e"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"Heartbeat"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"intervalMs"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"heartbeat"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"intervalMs"},"value":{"kind":"Variable","name":{"kind":"Name","value":"intervalMs"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"sequence"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"uptimeSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"engine"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"connected"}},{"kind":"Field","name":{"kind":"Name","value":"latencyMs"}}]}}]}}]}}]} as unknown as DocumentNode<HeartbeatSubscription, HeartbeatSubscriptionVariables>;
export const ReportMetricsDocument = {"__meta__":{"hash":"e35b50e503378afcfed410e556fbda00c1eb93ade329eac44a20e73c533c16b0"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ReportMetrics"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ReportMetricsInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reportMetrics"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accepted"}},{"kind":"Field","name":{"kind":"Name","value":"duplicates"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"warnings"}}]}}]}}]} as unknown as DocumentNode<ReportMetricsMutation, ReportMetricsMutationVariables>;
export const ReportOutputDocument = {"__meta__":{"hash":"ea0563ed413e4defbb5de7017905000f9fe6223609f82ac8bd04fc8f5036f17c"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ReportOutput"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ReportOutputInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reportOutput"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"accepted"}},{"kind":"Field","name":{"kind":"Name","value":"duplicates"}}]}}]}}]} as unknown as DocumentNode<ReportOutputMutation, ReportOutputMutationVariables>;
export const ReportRunDocument = {"__meta__":{"hash":"2d0eebacbe2ae874f515dfe28d5b3b07e554911603405a925c72ab914edaf173"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"ReportRun"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ReportMetricsInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reportMetrics"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"warnings"}}]}}]}}]} as unknown as DocumentNode<ReportRunMutation, ReportRunMutationVariables>;
export const ServerDocument = {"__meta__":{"hash":"cc14d38d90c7dba9989a3267fe947bca6611629b6022bd206710f6091a6a5cad"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Server"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"server"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"version"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefixes"}},{"kind":"Field","name":{"kind":"Name","value":"engine"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"connected"}},{"kind":"Field","name":{"kind":"Name","value":"latencyMs"}}]}},{"kind":"Field","name":{"kind":"Name","value":"trainers"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"launcher"}},{"kind":"Field","name":{"kind":"Name","value":"description"}}]}}]}}]}}]} as unknown as DocumentNode<ServerQuery, ServerQueryVariables>;
export const StartRunDocument = {"__meta__":{"hash":"49e0435f6847648c2da0335d20af953e74620c6b7cddd3329b5be1d9fe58bd98"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"StartRun"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"StartTrainingInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"startTraining"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reportToken"}},{"kind":"Field","name":{"kind":"Name","value":"task"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"id"}}]}}]}}]}}]} as unknown as DocumentNode<StartRunMutation, StartRunMutationVariables>;
export const StartTrainingDocument = {"__meta__":{"hash":"e10a675c99519d8bf930c7ce68eefe8b39f68634c85a1587e67f697c6419c25e"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"StartTraining"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"StartTrainingInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"startTraining"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reportToken"}},{"kind":"Field","name":{"kind":"Name","value":"task"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<StartTrainingMutation, StartTrainingMutationVariables>;
export const TaskDetailsDocument = {"__meta__":{"hash":"f16d9ae83b7366db7176f37d96a9b0e21e3b00a0664e0136ccb5f80495f683d5"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TaskDetails"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"params"}},{"kind":"Field","name":{"kind":"Name","value":"labels"}},{"kind":"Field","name":{"kind":"Name","value":"startedBy"}}]}}]}}]} as unknown as DocumentNode<TaskDetailsQuery, TaskDetailsQueryVariables>;
export const TaskOutputDocument = {"__meta__":{"hash":"8488bfa7ca87451e0f61d7e3af0b8561b4100c603df56fa74e35c388b3f6a997"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"TaskOutput"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"last"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"taskOutput"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"taskId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"last"},"value":{"kind":"Variable","name":{"kind":"Name","value":"last"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"OutputLineFields"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"OutputLineFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OutputLine"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"stream"}},{"kind":"Field","name":{"kind":"Name","value":"text"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"isCut"}},{"kind":"Field","name":{"kind":"Name","value":"skip"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"lines"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]} as unknown as DocumentNode<TaskOutputSubscription, TaskOutputSubscriptionVariables>;
export const TaskOutputPageDocument = {"__meta__":{"hash":"cbac3623511e4a18fbafbc46e6da623ad21ec6ec9b7d54fcf8561f39a1e058d2"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TaskOutputPage"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"last"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"output"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"last"},"value":{"kind":"Variable","name":{"kind":"Name","value":"last"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"OutputLineFields"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"hasPreviousPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"OutputLineFields"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"OutputLine"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"stream"}},{"kind":"Field","name":{"kind":"Name","value":"text"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"isCut"}},{"kind":"Field","name":{"kind":"Name","value":"skip"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"lines"}},{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]} as unknown as DocumentNode<TaskOutputPageQuery, TaskOutputPageQueryVariables>;
export const TaskProgressDocument = {"__meta__":{"hash":"7a35dcbb9c4cbaf6c56cb8a490396233b5a75d603241627c29268172d000c698"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"TaskProgress"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"minIntervalMs"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"taskProgress"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"taskId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}},{"kind":"Argument","name":{"kind":"Name","value":"minIntervalMs"},"value":{"kind":"Variable","name":{"kind":"Name","value":"minIntervalMs"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"taskId"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]}}]} as unknown as DocumentNode<TaskProgressSubscription, TaskProgressSubscriptionVariables>;
export const TaskSeriesDocument = {"__meta__":{"hash":"a9aa1ab6867c297a27aa6d1e242958caaece72eec5ed6f9e7ae4e5ef01a65240"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TaskSeries"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"names"}},"type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"phase"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Phase"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"member"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"from"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Float"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"to"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Float"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"maxPoints"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}},{"kind":"Field","name":{"kind":"Name","value":"series"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"names"},"value":{"kind":"Variable","name":{"kind":"Name","value":"names"}}},{"kind":"Argument","name":{"kind":"Name","value":"phase"},"value":{"kind":"Variable","name":{"kind":"Name","value":"phase"}}},{"kind":"Argument","name":{"kind":"Name","value":"member"},"value":{"kind":"Variable","name":{"kind":"Name","value":"member"}}},{"kind":"Argument","name":{"kind":"Name","value":"from"},"value":{"kind":"Variable","name":{"kind":"Name","value":"from"}}},{"kind":"Argument","name":{"kind":"Name","value":"to"},"value":{"kind":"Variable","name":{"kind":"Name","value":"to"}}},{"kind":"Argument","name":{"kind":"Name","value":"maxPoints"},"value":{"kind":"Variable","name":{"kind":"Name","value":"maxPoints"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"phase"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"axis"}},{"kind":"Field","name":{"kind":"Name","value":"points"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"value"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}}]}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TaskSeriesQuery, TaskSeriesQueryVariables>;
export const TaskSparklinesDocument = {"__meta__":{"hash":"aac3510f6407145ff45551871fbb3b1047a613020b6f9e9feb31632a80ee2306"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"TaskSparklines"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"ids"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"metrics"}},"type":{"kind":"NonNullType","type":{"kind":"ListType","type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"maxPoints"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tasks"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"ObjectValue","fields":[{"kind":"ObjectField","name":{"kind":"Name","value":"ids"},"value":{"kind":"Variable","name":{"kind":"Name","value":"ids"}}}]}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"series"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"names"},"value":{"kind":"Variable","name":{"kind":"Name","value":"metrics"}}},{"kind":"Argument","name":{"kind":"Name","value":"maxPoints"},"value":{"kind":"Variable","name":{"kind":"Name","value":"maxPoints"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"phase"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"points"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"value"}}]}}]}}]}}]}}]}}]}}]} as unknown as DocumentNode<TaskSparklinesQuery, TaskSparklinesQueryVariables>;
export const TaskUpdatesDocument = {"__meta__":{"hash":"01c80990f4514820c0d38c756bace531a8367fbf2b8f4b9abdab1fa93b9e42f9"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"TaskUpdates"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"TaskFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"minIntervalMs"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"finishedWithinSeconds"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"taskUpdates"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"minIntervalMs"},"value":{"kind":"Variable","name":{"kind":"Name","value":"minIntervalMs"}}},{"kind":"Argument","name":{"kind":"Name","value":"finishedWithinSeconds"},"value":{"kind":"Variable","name":{"kind":"Name","value":"finishedWithinSeconds"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TaskUpdatesSubscription, TaskUpdatesSubscriptionVariables>;
export const TaskDocument = {"__meta__":{"hash":"9fd3686865023a8bab5080e7d768c97811a4612330938e87df70597f05ff4c95"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Task"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"id"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"id"},"value":{"kind":"Variable","name":{"kind":"Name","value":"id"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TaskQuery, TaskQueryVariables>;
export const TasksDocument = {"__meta__":{"hash":"6e1a66f11a7bcf3df46c102f8c2f0ddcbbcf814902126050e379b9483594ee06"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Tasks"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"filter"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"TaskFilter"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"TaskOrder"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"first"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"tasks"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"filter"},"value":{"kind":"Variable","name":{"kind":"Name","value":"filter"}}},{"kind":"Argument","name":{"kind":"Name","value":"orderBy"},"value":{"kind":"Variable","name":{"kind":"Name","value":"orderBy"}}},{"kind":"Argument","name":{"kind":"Name","value":"first"},"value":{"kind":"Variable","name":{"kind":"Name","value":"first"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"edges"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"Field","name":{"kind":"Name","value":"node"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}},{"kind":"Field","name":{"kind":"Name","value":"pageInfo"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"hasNextPage"}},{"kind":"Field","name":{"kind":"Name","value":"endCursor"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TasksQuery, TasksQueryVariables>;
export const TrainersDocument = {"__meta__":{"hash":"fed909627f6eee54ddaa514c6844ea05d6c8da9560143c7ac7f033ee98336e79"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"query","name":{"kind":"Name","value":"Trainers"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"server"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"channelPrefixes"}},{"kind":"Field","name":{"kind":"Name","value":"trainers"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"launcher"}},{"kind":"Field","name":{"kind":"Name","value":"description"}},{"kind":"Field","name":{"kind":"Name","value":"paramsSchema"}}]}}]}}]}}]} as unknown as DocumentNode<TrainersQuery, TrainersQueryVariables>;
export const TrainingProgressDocument = {"__meta__":{"hash":"1f0ce9ede411270f397ebe51c5af3217d38b93f456fa6f0218637b4b1c22bdc4"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"subscription","name":{"kind":"Name","value":"TrainingProgress"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"ID"}}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"String"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"after"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Cursor"}}},{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"last"}},"type":{"kind":"NamedType","name":{"kind":"Name","value":"Int"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"trainingProgress"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"taskId"},"value":{"kind":"Variable","name":{"kind":"Name","value":"taskId"}}},{"kind":"Argument","name":{"kind":"Name","value":"channelPrefix"},"value":{"kind":"Variable","name":{"kind":"Name","value":"channelPrefix"}}},{"kind":"Argument","name":{"kind":"Name","value":"after"},"value":{"kind":"Variable","name":{"kind":"Name","value":"after"}}},{"kind":"Argument","name":{"kind":"Name","value":"last"},"value":{"kind":"Variable","name":{"kind":"Name","value":"last"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"__typename"}},{"kind":"Field","name":{"kind":"Name","value":"taskId"}},{"kind":"Field","name":{"kind":"Name","value":"timestamp"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ProgressUpdate"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EpochStarted"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EpochEnded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"phase"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"RoundEnded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"fitMetrics"}},{"kind":"Field","name":{"kind":"Name","value":"evalMetrics"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StatusChanged"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"ErrorReported"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"error"}},{"kind":"Field","name":{"kind":"Name","value":"errorType"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"SystemSampled"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"member"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TrainingSucceeded"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"result"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TrainingFailed"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"error"}},{"kind":"Field","name":{"kind":"Name","value":"errorType"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"TrainingCancelled"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamOpened"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"task"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"EventsSkipped"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"count"}},{"kind":"Field","name":{"kind":"Name","value":"skipReason"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamInterrupted"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"error"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamTimedOut"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}}]}},{"kind":"InlineFragment","typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"StreamClosing"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"reason"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<TrainingProgressSubscription, TrainingProgressSubscriptionVariables>;
export const UpdateTaskDocument = {"__meta__":{"hash":"bc9d80b421e56273563d52a5bb296760861e32768bb9da52f1c18c0c20f78275"},"kind":"Document","definitions":[{"kind":"OperationDefinition","operation":"mutation","name":{"kind":"Name","value":"UpdateTask"},"variableDefinitions":[{"kind":"VariableDefinition","variable":{"kind":"Variable","name":{"kind":"Name","value":"input"}},"type":{"kind":"NonNullType","type":{"kind":"NamedType","name":{"kind":"Name","value":"UpdateTaskInput"}}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"updateTask"},"arguments":[{"kind":"Argument","name":{"kind":"Name","value":"input"},"value":{"kind":"Variable","name":{"kind":"Name","value":"input"}}}],"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"task"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"FragmentSpread","name":{"kind":"Name","value":"TaskSummary"}}]}}]}}]}},{"kind":"FragmentDefinition","name":{"kind":"Name","value":"TaskSummary"},"typeCondition":{"kind":"NamedType","name":{"kind":"Name","value":"Task"}},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"id"}},{"kind":"Field","name":{"kind":"Name","value":"channelPrefix"}},{"kind":"Field","name":{"kind":"Name","value":"channel"}},{"kind":"Field","name":{"kind":"Name","value":"name"}},{"kind":"Field","name":{"kind":"Name","value":"trainer"}},{"kind":"Field","name":{"kind":"Name","value":"machineId"}},{"kind":"Field","name":{"kind":"Name","value":"status"}},{"kind":"Field","name":{"kind":"Name","value":"attempt"}},{"kind":"Field","name":{"kind":"Name","value":"retryOf"}},{"kind":"Field","name":{"kind":"Name","value":"stopRequested"}},{"kind":"Field","name":{"kind":"Name","value":"stopReason"}},{"kind":"Field","name":{"kind":"Name","value":"stage"}},{"kind":"Field","name":{"kind":"Name","value":"current"}},{"kind":"Field","name":{"kind":"Name","value":"total"}},{"kind":"Field","name":{"kind":"Name","value":"progress"}},{"kind":"Field","name":{"kind":"Name","value":"epoch"}},{"kind":"Field","name":{"kind":"Name","value":"firstEpoch"}},{"kind":"Field","name":{"kind":"Name","value":"totalEpochs"}},{"kind":"Field","name":{"kind":"Name","value":"round"}},{"kind":"Field","name":{"kind":"Name","value":"totalRounds"}},{"kind":"Field","name":{"kind":"Name","value":"step"}},{"kind":"Field","name":{"kind":"Name","value":"loss"}},{"kind":"Field","name":{"kind":"Name","value":"metrics"}},{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"etaSeconds"}},{"kind":"Field","name":{"kind":"Name","value":"result"}},{"kind":"Field","name":{"kind":"Name","value":"error"},"selectionSet":{"kind":"SelectionSet","selections":[{"kind":"Field","name":{"kind":"Name","value":"message"}},{"kind":"Field","name":{"kind":"Name","value":"type"}}]}},{"kind":"Field","name":{"kind":"Name","value":"createdAt"}},{"kind":"Field","name":{"kind":"Name","value":"startedAt"}},{"kind":"Field","name":{"kind":"Name","value":"updatedAt"}},{"kind":"Field","name":{"kind":"Name","value":"finishedAt"}},{"kind":"Field","name":{"kind":"Name","value":"cursor"}}]}}]} as unknown as DocumentNode<UpdateTaskMutation, UpdateTaskMutationVariables>;