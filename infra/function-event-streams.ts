const none = (): never => {
  throw new Error('Event streams are left out of the bundles.');
};

/**
 * Takes the place of `@smithy/core/event-streams` in the bundles: 15 KB that every client would load for operations which answer in a
 * stream. Neither tables nor queues, workflows nor secrets have one; whoever calls one all the same is told here.
 */
export const EventStreamSerde = none;

/** Of the same module: what `EventStreamSerde` would be built with. */
export const eventStreamSerdeProvider = none;
