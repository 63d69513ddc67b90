/** W6. An agent is asked to publish the number that comes next in its activation; clients publish without being asked by anybody. */
export interface TopicOp {
  readonly type: 'announce';
}
/** What it published: as whom, and which number. */
export interface TopicResult {
  readonly publisher: string;
  readonly n: number;
}

/** One message that was published by a client, as it saw it; `sent` false: it knows that it was lost. */
export interface Published {
  readonly topic: string;
  /** One connection of a client: a client that moves on to another server is another publisher. */
  readonly publisher: string;
  /** From 1, without gaps. */
  readonly n: number;
  readonly atMs: number;
  readonly sent: boolean;
}
/** Numbers `from` … `to` of one publisher that a subscriber heard one after the other, with nothing else of that publisher between them. */
export interface HeardRun {
  readonly topic: string;
  /** A client's subscription, or `agent type/id` and the epoch of the activation that heard it. */
  readonly subscriber: string;
  /** A client's connection; of an agent its `type/id` and the epoch of its activation. */
  readonly publisher: string;
  readonly from: number;
  readonly to: number;
}
/** `finals`: all that was heard, in the order in which each subscriber heard it. */
export interface TopicFinals {
  readonly heard: readonly HeardRun[];
}
/** `notes` */
export interface TopicNotes {
  readonly published: readonly Published[];
  /** Subscriptions of clients, and until when each was there; null: to the end. */
  readonly subscribers: readonly {
    readonly topic: string;
    readonly subscriber: string;
    readonly fromMs: number;
    readonly untilMs: number | null;
  }[];
  /** From when on all was seen to work again, to the end: nothing is missing in there. Null: never. */
  readonly calmFromMs: number | null;
}
