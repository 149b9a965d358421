// How fast to play, to be as near to the live edge as deliveries allow and never run dry.
//
// A delivery that extends the buffer beyond `end` at the moment `now` shows what lag a playhead
// needs: with less than `now - end` it would have stood still before the delivery came. The largest
// lag needed over the last seconds, and a margin for what has not happened yet, is the target. It
// needs no clock but the browser's own, holds for any part length, and follows the network.
//
// Units: seconds. `lag` is the browser's monotonic clock minus the media position: only differences
// of lags mean anything.

/** Deliveries older than this no longer count: how soon good conditions are believed. */
const WINDOW = 10;
/** After a start or a gap the buffer is filled at full speed, which says nothing of the live edge. */
const SETTLING = 1;
const SLOWEST = 0.95;
const FASTEST = 1.08;
/** Rate change for each second of distance from the target. */
const GAIN = 0.4;
/** Nearer to the target than this is near enough: the rate goes back to 1. */
const TOLERANCE = 0.03;
/** The rate moves by this much, once a decision at most: nobody hears that. */
const STEP = 0.01;
/** Further behind than this, catching up takes longer than anybody wants: one seek instead. */
const SEEK_BEHIND = 3;
const MARGIN_LIMIT = 2;
/** How long without a stall before the margin shrinks, and by how much each second from then on. */
const CALM = 30;
const MARGIN_DECAY = 0.01;

export class LatencySteering {
  #partTarget;
  #baseMargin;
  #margin;
  #deliveries = [];
  #end = null;
  #lastDelivery = null;
  #settledAt = Infinity;
  #lastStall = -Infinity;
  #lastDecision = null;
  #behindSince = null;
  rate = 1;
  /** The lag steered to; null while too little is known. */
  target = null;

  /** @param {number} partTarget PART-TARGET of the playlist. */
  constructor(partTarget) {
    this.#partTarget = partTarget;
    // Decoders keep a few frames; deliveries differ by a fraction of a part.
    this.#baseMargin = 0.15 + 0.5 * partTarget;
    this.#margin = this.#baseMargin;
  }

  /** What the buffer should hold at least, just before a delivery and just after one. */
  get headroom() {
    return this.#margin + this.#partTarget;
  }

  /** Playback began, or begins again somewhere else: what was learned before is void. */
  restart(now) {
    this.#deliveries = [];
    this.#end = null;
    this.#settledAt = now + SETTLING;
    this.#behindSince = null;
    this.target = null;
  }

  /** The buffer that is being played now ends at `end`. */
  delivered(now, end) {
    if (this.#end !== null && end <= this.#end + 0.001) {
      if (end < this.#end - 0.001) this.#end = end;
      return;
    }
    if (this.#end !== null && now - this.#lastDelivery > this.#longestGap) {
      // The publisher or the network was away: no buffer worth having covers that.
      this.restart(now);
    } else if (this.#end !== null && now >= this.#settledAt) {
      // More than a part or two at once was there before it was asked for: not the live edge.
      const isAtEdge = end - this.#end < 2.5 * this.#partTarget;
      if (isAtEdge) this.#deliveries.push({ at: now, lag: now - this.#end });
    }
    this.#end = end;
    this.#lastDelivery = now;
  }

  /** The buffer ran dry: keep more from now on. */
  stalled(now) {
    this.#lastStall = now;
    this.#margin = Math.min(this.#margin + Math.max(0.1, this.#partTarget / 2), MARGIN_LIMIT);
  }

  /**
   * To be called several times a second.
   * @returns {number | null} A position to seek to: only when playback fell far behind.
   */
  decide(now, position, bufferEnd) {
    this.#decayMargin(now);
    this.#deliveries = this.#deliveries.filter((delivery) => now - delivery.at < WINDOW);
    const isInGap = this.#lastDelivery !== null && now - this.#lastDelivery > this.#longestGap;
    if (this.#deliveries.length < 4 || isInGap) {
      this.target = null;
      this.#approach(1);
      return null;
    }
    // A delivery that is overdue counts before it comes.
    const needed = Math.max(now - this.#end, ...this.#deliveries.map((delivery) => delivery.lag));
    this.target = needed + this.#margin;
    const behind = now - position - this.target;
    let rate = Math.abs(behind) < TOLERANCE ? 1 : 1 + GAIN * behind;
    if (bufferEnd - position < this.#baseMargin) rate = Math.min(rate, 1);
    this.#approach(Math.min(Math.max(rate, SLOWEST), FASTEST));
    return this.#seekTarget(now, behind, bufferEnd);
  }

  get #longestGap() {
    return Math.max(1.5, 5 * this.#partTarget);
  }

  #approach(rate) {
    const steps = Math.round((rate - this.rate) / STEP);
    this.rate = Math.round((this.rate + Math.sign(steps) * STEP) / STEP) * STEP;
  }

  #decayMargin(now) {
    const passed = this.#lastDecision === null ? 0 : now - this.#lastDecision;
    this.#lastDecision = now;
    if (now - this.#lastStall < CALM) return;
    this.#margin = Math.max(this.#margin - MARGIN_DECAY * passed, this.#baseMargin);
  }

  #seekTarget(now, behind, bufferEnd) {
    if (behind < SEEK_BEHIND) {
      this.#behindSince = null;
      return null;
    }
    this.#behindSince ??= now;
    if (now - this.#behindSince < 1) return null;
    this.#behindSince = null;
    return Math.min(now - this.target, bufferEnd - this.#baseMargin);
  }
}
