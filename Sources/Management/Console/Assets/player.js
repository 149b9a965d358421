// One live stream in one video element: waits for it, plays it near the live edge, and comes back
// after every interruption without a reload of the page.

import { codecList } from './format.js';
import { LatencySteering } from './steering.js';

const POLL_MILLISECONDS = 1500;
/** Media errors nearer to each other than this are one that does not pass by itself. */
const MEDIA_ERROR_PAUSE_SECONDS = 10;
const TICK_MILLISECONDS = 100;
/** A buffer that stays empty this long is an interruption, not a hiccup. */
const INTERRUPTION_SECONDS = 2;
/** Nearer to where playback should begin than this is near enough. */
const START_TOLERANCE = 0.05;

/**
 * States, and how they are left:
 * - `connecting`:  asking for the playlist → `waiting`, `buffering`, `unsupported`, `unavailable`
 * - `waiting`:     nobody publishes yet → `connecting`
 * - `buffering`:   media is on its way → `playing`, `interrupted`
 * - `playing`      → `paused`, `buffering`, `ended`
 * - `paused`:      by the viewer → `playing`
 * - `interrupted`: the publisher or the network went away → `playing`, `waiting`, `ended`
 * - `ended`:       the stream has its end → `connecting`, when it is published anew
 * - `unsupported`: the browser cannot play its codecs → `connecting`, when they may have changed
 * - `unavailable`: this page has no player library; final.
 *
 * Events: `change`, whenever anything shown may have changed.
 */
export class Player extends EventTarget {
  state = 'connecting';
  /** Times playback stood still for want of media, after it had begun. */
  stalls = 0;
  /** Codec strings the browser refused, in the state `unsupported`. */
  unsupportedCodecs = [];
  #video;
  #url;
  #hls = null;
  #steering = null;
  #level = null;
  #hasPlayed = false;
  /** Attached, and not begun to play. */
  #isFresh = true;
  #emptySince = null;
  #mediaErrorAt = -Infinity;
  #pollTimer = null;
  #pausedByViewer = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {string} url The multivariant playlist.
   */
  constructor(video, url) {
    super();
    this.#video = video;
    this.#url = url;
    video.addEventListener('playing', () => this.#onPlaying());
    video.addEventListener('waiting', () => this.#onWaiting());
    video.addEventListener('ended', () => this.#onEnded());
    video.addEventListener('error', () => this.#onNativeError());
    setInterval(() => this.#tick(), TICK_MILLISECONDS);
  }

  start() {
    if (window.Hls?.isSupported() || this.#isNative) this.#connect();
    else this.#setState('unavailable');
  }

  // What is shown of playback.

  /**
   * Seconds between the picture and its program date-time; what the playlist says where the clocks
   * of this machine and of the server plainly differ. `null` while unknown.
   */
  get latency() {
    const date = this.#hls ? this.#hls.playingDate : this.#nativePlayingDate;
    const byPlaylist = this.#hls?.latency ?? null;
    if (!date) return byPlaylist;
    const byClock = (Date.now() - date.getTime()) / 1000;
    const clocksDiffer =
      byPlaylist !== null && (byClock < byPlaylist - 0.5 || byClock > byPlaylist + 30);
    return clocksDiffer ? byPlaylist : byClock;
  }

  /** The latency steered to; `null` while too little is known of how media arrives. */
  get targetLatency() {
    const target = this.#steering?.target ?? null;
    const latency = this.latency;
    if (target === null || latency === null) return null;
    return latency - (monotonicSeconds() - this.#video.currentTime - target);
  }

  /** Seconds of media ahead of the picture. */
  get buffer() {
    return Math.max(0, this.#bufferEnd - this.#video.currentTime);
  }

  get rate() {
    return this.#video.playbackRate;
  }

  get isLive() {
    const behind = this.#steering?.target ?? null;
    return (
      this.state === 'playing' &&
      (behind === null || monotonicSeconds() - this.#video.currentTime - behind < 1)
    );
  }

  get droppedFrames() {
    return this.#video.getVideoPlaybackQuality?.().droppedVideoFrames ?? 0;
  }

  get resolution() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    return width > 0 ? { width, height } : null;
  }

  /** `{ codecs, bitrate, frameRate, name }` of the variant that plays; `null` with native HLS. */
  get rendition() {
    const level = this.#hls?.levels?.[Math.max(this.#hls.currentLevel, 0)] ?? this.#level;
    if (!level) return null;
    return {
      codecs: codecList(level.attrs?.CODECS),
      bitrate: level.bitrate,
      frameRate: level.frameRate || Number(level.attrs?.['FRAME-RATE']) || null,
      name: level.name ?? '',
    };
  }

  /** Sizes to choose from, best first: `{ index, height, bitrate }`; none where there is no choice. */
  get qualities() {
    const levels = this.#hls?.levels ?? [];
    if (levels.length < 2) return [];
    return levels
      .map(({ height, bitrate }, index) => ({ index, height, bitrate }))
      .sort((one, other) => other.height - one.height || other.bitrate - one.bitrate);
  }

  /** The `index` of what the viewer chose; −1 where the network decides. */
  get quality() {
    return this.#hls?.autoLevelEnabled === false ? this.#hls.loadLevel : -1;
  }

  // Commands of the viewer.

  /** Changes with the next segment: what is buffered is played. */
  set quality(index) {
    if (this.#hls) this.#hls.loadLevel = index;
  }

  async play() {
    this.#pausedByViewer = false;
    this.goLive();
    try {
      await this.#video.play();
    } catch {
      // Sound needs a gesture of the viewer; a muted picture does not.
      this.#video.muted = true;
      await this.#video.play().catch(() => this.#setState('paused'));
    }
  }

  pause() {
    this.#pausedByViewer = true;
    this.#video.pause();
    this.#setState('paused');
  }

  /** Jumps to the live edge when playback is noticeably behind it. */
  goLive() {
    if (!this.#hls || !this.#steering) return;
    // After a long pause the buffer itself is behind, and hls.js knows the edge from the playlist.
    const buffered = this.#bufferEnd - this.#steering.headroom;
    const edge = Math.max(buffered, this.#hls.liveSyncPosition ?? 0);
    if (edge - this.#video.currentTime < 1) return;
    this.#video.currentTime = edge;
    this.#steering.restart(monotonicSeconds());
  }

  // From nothing to playing.

  async #connect() {
    clearTimeout(this.#pollTimer);
    if (this.state === 'ended' && !(await this.#hasNewPlaylist())) return this.#poll();
    const isThere = await this.#isThere();
    if (!isThere) {
      if (this.state !== 'ended') this.#setState(this.#hasPlayed ? 'interrupted' : 'waiting');
      return this.#poll();
    }
    // Unsupported codecs stay so until the manifest says otherwise.
    if (this.state !== 'unsupported') this.#setState('buffering');
    if (window.Hls?.isSupported()) this.#attach();
    else this.#attachNative();
  }

  #poll(milliseconds = POLL_MILLISECONDS) {
    clearTimeout(this.#pollTimer);
    this.#pollTimer = setTimeout(() => this.#connect(), milliseconds);
  }

  async #isThere() {
    try {
      const response = await fetch(this.#url, { cache: 'no-store' });
      return response.ok;
    } catch {
      return false;
    }
  }

  /** After its end a stream can be watched for a while yet; only a playlist without end is new. */
  async #hasNewPlaylist() {
    try {
      const url = this.#level?.url?.[0] ?? this.#level?.uri ?? this.#url;
      const response = await fetch(url, { cache: 'no-store' });
      if (!response.ok) {
        this.#level = null;
        return false;
      }
      return !(await response.text()).includes('#EXT-X-ENDLIST');
    } catch {
      return false;
    }
  }

  #attach() {
    const { Hls } = window;
    // hls.js takes a stream whose first segment is not complete for an error: soon again, and often.
    const patient = { maxNumRetry: 60, retryDelayMs: 250, maxRetryDelayMs: 500, backoff: 'linear' };
    const hls = new Hls({
      lowLatencyMode: true,
      // The steering below sets the rate; two hands on one wheel would fight.
      maxLiveSyncPlaybackRate: 1,
      backBufferLength: 20,
      // CMAF needs no transmuxing, and a worker made of a blob would need a wider policy.
      enableWorker: false,
      pLoader: loaderOfNews(Hls.DefaultConfig.loader),
      playlistLoadPolicy: {
        default: {
          // A blocking reload is answered late when the publisher is away.
          maxTimeToFirstByteMs: 30000,
          maxLoadTimeMs: 40000,
          timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
          errorRetry: patient,
        },
      },
      fragLoadPolicy: {
        default: {
          maxTimeToFirstByteMs: 10000,
          maxLoadTimeMs: 60000,
          timeoutRetry: { maxNumRetry: 4, retryDelayMs: 0, maxRetryDelayMs: 0 },
          errorRetry: { ...patient, maxNumRetry: 6 },
        },
      },
    });
    this.#hls = hls;
    this.#isFresh = true;
    hls.on(Hls.Events.MANIFEST_LOADED, (_, data) => this.#checkCodecs(data.levels));
    hls.on(Hls.Events.LEVEL_UPDATED, (_, data) => this.#onPlaylist(data.details));
    hls.on(Hls.Events.BUFFER_APPENDED, () => this.#onDelivery());
    hls.on(Hls.Events.ERROR, (_, data) => this.#onError(data));
    hls.loadSource(this.#url);
    hls.attachMedia(this.#video);
  }

  #detach() {
    this.#hls?.destroy();
    this.#hls = null;
    this.#steering = null;
    this.#emptySince = null;
    this.#video.playbackRate = 1;
  }

  #reconnect(state, milliseconds = POLL_MILLISECONDS) {
    if (this.#hls) this.#level = this.#hls.levels?.[0] ?? this.#level;
    this.#detach();
    this.#setState(state);
    this.#poll(milliseconds);
  }

  #checkCodecs(levels) {
    const isPlayable = (codec) => MediaSource.isTypeSupported(`video/mp4; codecs="${codec}"`);
    const refused = levels.map((level) =>
      codecList(level.attrs.CODECS).filter((codec) => !isPlayable(codec)));
    if (refused.length === 0 || refused.some((codecs) => codecs.length === 0)) {
      this.#setState('buffering');
      return;
    }
    this.unsupportedCodecs = refused[0];
    this.#setState('unsupported');
    // Not inside its own event: hls.js goes on with the manifest after this handler returns.
    queueMicrotask(() => this.#reconnect('unsupported'));
  }

  #onPlaylist(details) {
    if (this.#steering || !details.live) return;
    this.#steering = new LatencySteering(details.partTarget || details.targetduration / 3);
    this.#steering.restart(monotonicSeconds());
  }

  /**
   * Starts once the buffer holds what steering wants: at once, but for a stream just begun. What it
   * holds beyond that is skipped while there is no picture yet, not made good at speed afterwards.
   */
  #begin() {
    const { buffered, currentTime } = this.#video;
    if (!this.#steering || this.#pausedByViewer || buffered.length === 0) return;
    // Asked to play already, it only waits for its first picture.
    if (!this.#video.paused) return;
    // Sound and picture may begin a little after the position; hls.js steps over such a gap.
    const last = buffered.length - 1;
    const nearest = buffered.end(last) - this.#steering.headroom;
    if (nearest < Math.max(currentTime, buffered.start(last))) return;
    if (nearest - currentTime > START_TOLERANCE) this.#video.currentTime = nearest;
    this.#video.play().catch(() => this.#setState('paused'));
  }

  // While it plays.

  #onDelivery() {
    const end = this.#bufferEnd;
    if (end > 0) this.#steering?.delivered(monotonicSeconds(), end);
  }

  #onPlaying() {
    if (this.#isFresh) this.#steering?.restart(monotonicSeconds());
    this.#isFresh = false;
    this.#hasPlayed = true;
    this.#emptySince = null;
    this.#setState('playing');
  }

  #onWaiting() {
    if (this.state !== 'playing' || this.#video.seeking) return;
    this.stalls += 1;
    this.#emptySince = monotonicSeconds();
    this.#steering?.stalled(this.#emptySince);
    this.#setState('buffering');
  }

  #onEnded() {
    this.#reconnect('ended');
  }

  #onError(data) {
    const { ErrorTypes } = window.Hls;
    if (!data.fatal || this.state === 'unsupported') return;
    if (data.type === ErrorTypes.MEDIA_ERROR) return this.#onMediaError();
    this.#reconnect(this.#hasPlayed ? 'interrupted' : 'waiting');
  }

  /** Begins anew at the live edge, past what could not be decoded; a second time, not in haste. */
  #onMediaError() {
    const now = monotonicSeconds();
    const isRepeated = now - this.#mediaErrorAt < MEDIA_ERROR_PAUSE_SECONDS;
    this.#mediaErrorAt = now;
    if (this.state === 'playing') this.stalls += 1;
    this.#reconnect('buffering', isRepeated ? POLL_MILLISECONDS : 0);
  }

  #tick() {
    const now = monotonicSeconds();
    const position = this.#video.currentTime;
    if (this.#emptySince !== null && now - this.#emptySince > INTERRUPTION_SECONDS) {
      if (this.state === 'buffering') this.#setState('interrupted');
    }
    if (this.#isFresh) this.#begin();
    if (this.state === 'playing' && this.#steering) {
      const seek = this.#steering.decide(now, position, this.#bufferEnd);
      if (seek !== null && seek > position) {
        this.#video.currentTime = seek;
      } else if (this.#video.playbackRate !== this.#steering.rate) {
        this.#video.playbackRate = this.#steering.rate;
      }
    }
    this.dispatchEvent(new Event('change'));
  }

  /** The end of the buffered range that is being played; of the last one before playback begins. */
  get #bufferEnd() {
    const { buffered, currentTime } = this.#video;
    for (let index = 0; index < buffered.length; index += 1) {
      const isAround = buffered.start(index) <= currentTime + 0.1;
      if (isAround && currentTime <= buffered.end(index) + 0.1) return buffered.end(index);
    }
    return 0;
  }

  #setState(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event('change'));
  }

  // Browsers that play HLS themselves and have no Media Source Extensions (older iPhones). Where
  // there are any, a missing hls.js is a fault to be told of, not to be hidden by a late picture.

  get #isNative() {
    const hasMediaSource = 'MediaSource' in window || 'ManagedMediaSource' in window;
    return !hasMediaSource && this.#video.canPlayType('application/vnd.apple.mpegurl') !== '';
  }

  get #nativePlayingDate() {
    const start = this.#video.getStartDate?.().getTime();
    return Number.isFinite(start) ? new Date(start + this.#video.currentTime * 1000) : null;
  }

  #attachNative() {
    this.#video.src = this.#url;
    if (!this.#pausedByViewer) this.#video.play().catch(() => {});
  }

  #onNativeError() {
    if (this.#hls || !this.#video.getAttribute('src')) return;
    this.#video.removeAttribute('src');
    this.#reconnect(this.#hasPlayed ? 'interrupted' : 'waiting');
  }
}

/**
 * Loads a playlist that has news. Back at a size that it left less than a part ago, hls.js asks for what it
 * has, takes the answer for a stream that stands still, and asks again after half a target duration: too
 * late for a buffer of a second. It is given the next part instead.
 */
function loaderOfNews(Loader) {
  const newest = new Map();
  return class extends Loader {
    load(context, config, callbacks) {
      const url = new URL(context.url, location.href);
      const [sequence, wanted] = ['_HLS_msn', '_HLS_part'].map((name) =>
        Number(url.searchParams.get(name) ?? NaN));
      const known = newest.get(url.pathname);
      const part = known?.sequence === sequence ? Math.max(wanted, known.part + 1) : wanted;
      if (part > wanted) {
        url.searchParams.set('_HLS_part', part);
        context.url = url.href;
      }
      const onSuccess = (...results) => {
        if (part >= 0) newest.set(url.pathname, { sequence, part });
        callbacks.onSuccess(...results);
      };
      super.load(context, config, { ...callbacks, onSuccess });
    }
  };
}

function monotonicSeconds() {
  return performance.now() / 1000;
}
