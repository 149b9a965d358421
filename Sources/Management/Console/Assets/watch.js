// The watch page: shows one Player's state and hands it the viewer's commands.

import { bitrate, codecName, seconds } from './format.js';
import { Player } from './player.js';

const element = (id) => document.getElementById(id);
const stream = decodeURIComponent(location.pathname.split('/')[2] ?? '');
const video = element('video');
const stage = element('stage');
const player = new Player(video, `/live/${encodeURIComponent(stream)}/playlist.m3u8`);

/** What tests and curious people read. */
window.mirrorPlayer = player;

const chips = {
  connecting: ['Connecting', 'quiet'],
  waiting: ['Waiting', 'quiet'],
  buffering: ['Buffering', 'quiet'],
  playing: ['Live', 'live'],
  paused: ['Paused', 'quiet'],
  interrupted: ['Interrupted', 'warn'],
  ended: ['Ended', 'quiet'],
  unsupported: ['Cannot play', 'warn'],
  unavailable: ['Cannot play', 'warn'],
};

/** What the stage says instead of, or over, a picture. */
function message() {
  switch (player.state) {
    case 'waiting':
      return [
        'Waiting for the stream',
        `Nobody publishes “${stream}” yet. It starts here by itself as soon as somebody does.`,
      ];
    case 'interrupted':
      return [
        'The stream is interrupted',
        'The publisher or the network went away. It goes on by itself when they are back.',
      ];
    case 'ended':
      return ['The stream has ended', 'If it is published again, it starts here by itself.'];
    case 'unsupported':
      return [
        'This browser cannot play this stream',
        `It has no decoder for ${player.unsupportedCodecs.map(codecName).join(' and ')} `
          + `(${player.unsupportedCodecs.join(', ')}). Another browser or device may have one; `
          + 'every browser plays H.264 with AAC.',
      ];
    case 'unavailable':
      return window.MediaSource || window.ManagedMediaSource
        ? [
          'The player is not installed',
          'This server has no hls.js. Its operator can run scripts/fetch-web-assets and start '
            + 'it again.',
        ]
        : [
          'This browser cannot play live streams',
          'It has neither Media Source Extensions nor HLS of its own. Any current browser has.',
        ];
    default:
      return null;
  }
}

function setText(id, text) {
  const target = element(id);
  if (target.textContent !== text) target.textContent = text;
}

function setIcon(button, icon, label) {
  if (button.dataset.icon === icon) return;
  button.dataset.icon = icon;
  button.querySelector('use').setAttribute('href', `#icon-${icon}`);
  button.setAttribute('aria-label', label);
}

function showState() {
  const [text, kind] = chips[player.state];
  setText('state', text);
  element('state').dataset.kind = kind;
  const words = message();
  element('message').hidden = words === null;
  if (words) {
    setText('message-title', words[0]);
    setText('message-detail', words[1]);
  }
  stage.dataset.state = player.state;
  document.title = `${player.state === 'playing' ? '● ' : ''}${stream} · Mirror`;
}

function showControls() {
  setIcon(element('play'), video.paused ? 'play' : 'pause', video.paused ? 'Play' : 'Pause');
  setIcon(
    element('mute'),
    video.muted ? 'muted' : 'sound',
    video.muted ? 'Turn sound on' : 'Turn sound off',
  );
  const hasSound = player.rendition?.codecs.some((codec) => /^(mp4a|opus|[ae]c-3)/i.test(codec));
  element('unmute').hidden = !(video.muted && player.state === 'playing' && hasSound !== false);
  element('to-live').dataset.live = player.isLive;
}

/** The choice of sizes: made anew only when it changes, or it would close under the viewer's hand. */
function showQualities() {
  const select = element('quality');
  const { qualities } = player;
  const options = [
    [-1, 'Auto'],
    ...qualities.map(({ index, height, bitrate: rate }) => {
      const isAlone = qualities.filter((other) => other.height === height).length === 1;
      return [index, isAlone ? `${height}p` : `${height}p · ${bitrate(rate)}`];
    }),
  ];
  const key = JSON.stringify(options);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...options.map(([value, text]) => new Option(text, value)));
  }
  select.hidden = qualities.length === 0;
  if (document.activeElement !== select) select.value = String(player.quality);
}

function showFigures() {
  const { rendition, resolution, latency, rate } = player;
  const isPlaying = player.state === 'playing' || player.state === 'buffering';
  setText('latency', isPlaying ? seconds(latency ?? NaN) : '–');
  setText('buffer', isPlaying ? seconds(player.buffer) : '–');
  setText('rate', isPlaying ? `${rate.toFixed(2)}×` : '–');
  setText('stalls', String(player.stalls));
  setText('dropped', String(player.droppedFrames));
  const frameRate = rendition?.frameRate
    ? ` · ${Number(rendition.frameRate.toFixed(2))} fps` : '';
  setText('picture', resolution ? `${resolution.width} × ${resolution.height}${frameRate}` : '–');
  setText('rendition', rendition ? bitrate(rendition.bitrate) : '–');
  setText('codecs', rendition ? rendition.codecs.map(codecName).join(' · ') || '–' : '–');
}

let shownAt = 0;
player.addEventListener('change', () => {
  showState();
  showControls();
  // Figures that change ten times a second cannot be read.
  if (performance.now() - shownAt < 400) return;
  shownAt = performance.now();
  showFigures();
  showQualities();
});

const commands = {
  play: () => (video.paused ? player.play() : player.pause()),
  mute: () => {
    video.muted = !video.muted;
    if (!video.muted && video.volume === 0) video.volume = 1;
    element('volume').value = String(video.muted ? 0 : video.volume);
  },
  full: () => (document.fullscreenElement
    ? document.exitFullscreen()
    : stage.requestFullscreen?.() ?? video.webkitEnterFullscreen?.()),
  'to-live': () => player.play(),
};
for (const [id, command] of Object.entries(commands)) {
  element(id).addEventListener('click', command);
}
element('unmute').addEventListener('click', commands.mute);
element('volume').addEventListener('input', (event) => {
  video.volume = Number(event.target.value);
  video.muted = video.volume === 0;
});

element('quality').addEventListener('change', (event) => {
  player.quality = Number(event.target.value);
});

const keys = { ' ': 'play', k: 'play', m: 'mute', f: 'full', l: 'to-live' };
document.addEventListener('keydown', (event) => {
  const command = keys[event.key];
  const isElsewhere = event.target.closest('select')
    || (event.target.closest('button, input, a') && event.key === ' ');
  if (!command || isElsewhere || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  commands[command]();
});

// Controls show while the pointer moves, and go out of the picture's way after.
let idleTimer = null;
function wake() {
  stage.dataset.idle = 'false';
  clearTimeout(idleTimer);
  idleTimer = setTimeout(() => { stage.dataset.idle = 'true'; }, 2500);
}
for (const name of ['pointermove', 'pointerdown', 'focusin']) stage.addEventListener(name, wake);
wake();

element('name').textContent = stream;
element('volume').value = '0';
showState();
showFigures();
player.start();
