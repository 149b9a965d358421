// The list of streams, kept fresh.

import { bitrate, elapsed } from './format.js';

const REFRESH_MILLISECONDS = 2000;
const element = (id) => document.getElementById(id);
const rows = new Map();

const states = {
  detecting: ['Detecting', 'warn'],
  waiting: ['Waiting', 'quiet'],
  live: ['Live', 'live'],
  slate: ['Slate', 'warn'],
  interrupted: ['Interrupted', 'warn'],
  ended: ['Ended', 'quiet'],
};

const inputStates = {
  on_air: ['On air', 'live'],
  standby: ['Standby', 'quiet'],
  waiting: ['Waiting for a keyframe', 'quiet'],
  lossy: ['Losing packets', 'warn'],
  silent: ['Silent', 'warn'],
  missing: ['Missing', 'warn'],
  leading: ['Leading', 'live'],
  following: ['Following', 'live'],
  aligning: ['Aligning', 'quiet'],
  stray: ['Not the same feed', 'warn'],
};

function field(row, name) {
  return row.querySelector(`[data-field="${name}"]`);
}

function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** "H.264 High 3.1, 1280 × 720, 30 fps" or "AAC-LC, stereo, 48 kHz, eng". */
function describe(track, measuredFrameRate) {
  const { video, audio } = track;
  if (video) {
    const frameRate = video.frame_rate ?? measuredFrameRate;
    return [
      [track.codec, video.profile, video.level].filter(Boolean).join(' '),
      `${video.width} × ${video.height}${video.is_interlaced ? ' interlaced' : ''}`,
      frameRate ? `${Number(frameRate.toFixed(2))} fps` : null,
      video.bit_depth > 8 ? `${video.bit_depth}-bit` : null,
      video.dynamic_range === 'SDR' ? null : video.dynamic_range,
    ].filter(Boolean).join(', ');
  }
  if (audio) {
    return [
      audio.profile || track.codec,
      audio.layout,
      `${audio.sample_rate_hertz / 1000} kHz`,
      // "und" is ISO 639 for undetermined.
      track.language === 'und' ? null : track.language,
    ].filter(Boolean).join(', ');
  }
  return track.codec;
}

/** Packets that are missing for good; null where the transport does not tell. */
function lostPackets({ srt, rtp }) {
  if (srt) return srt.dropped_packets;
  return rtp ? rtp.streams.reduce((sum, { lost_packets: lost }) => sum + lost, 0) : null;
}

/** How full the fullest queue before a consumer is; null while all keep up. */
function fullestQueue({ queues }) {
  const fill = Math.max(0, ...queues.map((queue) => queue.fill));
  return fill < 0.1 ? null : `${Math.round(fill * 100)} % full`;
}

function figures(stream) {
  const { srt, rtp } = stream.publisher ?? {};
  const lost = lostPackets({ srt, rtp });
  const jitter = rtp?.streams.map((one) => one.jitter_milliseconds) ?? [];
  return [
    ['Bitrate', stream.ingest ? bitrate(stream.ingest.bitrate_bits_per_second) : null],
    ['Round trip', srt ? `${srt.round_trip_milliseconds.toFixed(1)} ms` : null],
    ['Jitter', jitter.length ? `${Math.max(...jitter).toFixed(1)} ms` : null],
    ['Packets lost', lost === null ? null : lost.toLocaleString('en')],
    ['Keyframes', stream.packaging?.gop.last_seconds
      ? `every ${Number(stream.packaging.gop.last_seconds.toFixed(2))} s` : null],
    ['Queue', fullestQueue(stream)],
    ['Viewers', stream.delivery.viewers.toLocaleString('en')],
    ['Publisher', stream.publisher?.address ?? null],
  ].filter(([, value]) => value !== null);
}

function showFigures(list, values) {
  const shape = values.map(([name]) => name).join();
  if (list.dataset.shape !== shape) {
    list.dataset.shape = shape;
    list.replaceChildren(...values.map(([name]) => {
      const pair = document.createElement('div');
      const term = document.createElement('dt');
      term.textContent = name;
      pair.append(term, document.createElement('dd'));
      return pair;
    }));
  }
  values.forEach(([, value], index) => setText(list.children[index].lastChild, value));
}

/** Has the stream prefer an input, or again its first. */
async function choose(button, stream, input) {
  button.disabled = true;
  const method = button.dataset.method;
  const path = `/api/v1/streams/${stream}/inputs/${input}/selected`;
  try {
    const response = await fetch(path, { method });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail);
  } catch (error) {
    setText(element('trouble'), error.message);
    element('trouble').hidden = false;
  }
  button.disabled = false;
}

function makeInput(stream, name) {
  const item = element('input-template').content.firstElementChild.cloneNode(true);
  field(item, 'name').textContent = name;
  const button = field(item, 'select');
  button.addEventListener('click', () => choose(button, stream, name));
  return item;
}

function showInputs(list, stream) {
  const { members = [], selected } = stream.inputs ?? {};
  list.hidden = members.length === 0;
  const shape = members.map(({ name }) => name).join();
  if (list.dataset.shape !== shape) {
    list.dataset.shape = shape;
    list.replaceChildren(...members.map(({ name }) => makeInput(stream.name, name)));
  }
  members.forEach((input, index) => {
    const item = list.children[index];
    const [text, kind] = inputStates[input.state] ?? [input.state, 'quiet'];
    setText(field(item, 'state'), text);
    field(item, 'state').dataset.kind = kind;
    setText(field(item, 'source'), input.publisher
      ? `${bitrate(input.ingest?.bitrate_bits_per_second)} from ${input.publisher.address}` : '');
    const isSelected = input.name === selected;
    const button = field(item, 'select');
    button.dataset.method = isSelected ? 'DELETE' : 'PUT';
    setText(button, isSelected ? 'Let go' : 'Put on air');
    button.setAttribute('aria-label', `${button.textContent}: ${input.name}`);
    button.hidden = !isSelected
      && (input.state === 'on_air' || !input.publisher || Boolean(input.leg));
  });
}

function isInSight(row) {
  const { top, bottom } = row.getBoundingClientRect();
  return !document.hidden && bottom > 0 && top < innerHeight;
}

/** Has the row show what the stream looks like, as often as that is made; what it shows stays until more has come. */
async function showPicture(row, { name, state, thumbnail }) {
  const picture = field(row, 'picture');
  field(row, 'frame').hidden = !thumbnail;
  row.dataset.picture = Boolean(thumbnail);
  if (!thumbnail || thumbnail.state === 'waiting') return;
  const isMoving = state === 'live' || state === 'slate';
  const period = Math.floor(Date.now() / (1000 * thumbnail.interval_seconds));
  if (picture.dataset.period === String(period) || !isInSight(row)) return;
  if (!picture.hidden && !isMoving) return;
  picture.dataset.period = period;
  const next = new Image();
  next.src = `${thumbnail.path}?${period}`;
  try {
    await next.decode();
  } catch {
    return;
  }
  picture.src = next.src;
  picture.alt = `Picture of ${name}`;
  picture.hidden = false;
}

function makeRow(stream) {
  const row = element('stream-template').content.firstElementChild.cloneNode(true);
  field(row, 'name').textContent = stream.name;
  for (const name of ['name', 'watch', 'frame']) field(row, name).href = stream.delivery.watch_path;
  field(row, 'watch').setAttribute('aria-label', `Watch ${stream.name}`);
  return row;
}

function show(stream, row) {
  const [text, kind] = states[stream.state] ?? [stream.state, 'quiet'];
  setText(field(row, 'state'), text);
  field(row, 'state').dataset.kind = kind;
  setText(field(row, 'since'), `for ${elapsed(Date.now() - Date.parse(stream.since))}`);
  setText(
    field(row, 'tracks'),
    stream.tracks
      .map((track) => describe(track, stream.packaging?.measured_frame_rate))
      .join('  ·  ') || 'Waiting for the first picture',
  );
  showPicture(row, stream);
  showFigures(field(row, 'figures'), figures(stream));
  showInputs(field(row, 'inputs'), stream);
  field(row, 'watch').hidden = stream.state === 'detecting';
  const words = [
    stream.detection?.message,
    ...(stream.inputs?.members ?? []).map((input) => input.detection?.message),
    ...(stream.publisher?.rtp?.streams ?? []).map((one) => one.message),
    ...(stream.packaging?.advice ?? []).map((item) => item.message),
  ].filter(Boolean);
  const list = field(row, 'advice');
  list.hidden = words.length === 0;
  if (list.dataset.words !== words.join('\n')) {
    list.dataset.words = words.join('\n');
    list.replaceChildren(...words.map((message) => {
      const item = document.createElement('li');
      item.textContent = message;
      return item;
    }));
  }
}

function showStreams(streams) {
  const names = new Set(streams.map((stream) => stream.name));
  for (const [name, row] of rows) {
    if (names.has(name)) continue;
    row.remove();
    rows.delete(name);
  }
  streams.forEach((stream, index) => {
    const row = rows.get(stream.name) ?? makeRow(stream);
    rows.set(stream.name, row);
    show(stream, row);
    const there = element('streams').children[index];
    if (there !== row) element('streams').insertBefore(row, there ?? null);
  });
  const live = streams.filter((stream) => stream.state === 'live').length;
  setText(element('summary'), streams.length === 0 ? 'Nothing is on air.' : `${live} on air`);
  element('publish').dataset.alone = streams.length === 0;
  element('publish').hidden = false;
}

async function showServer() {
  const server = await load('/api/v1/server');
  const { srt_port: port, rtp_port: rtpPort, is_passphrase_required: hasPassphrase } =
    server.publish;
  setText(element('server'), `Version ${server.version}`);
  element('rtp').hidden = !rtpPort;
  setText(
    element('rtp-command'),
    'gst-launch-1.0 filesrc location=input.mp4 ! qtdemux ! h264parse config-interval=-1'
      + ` ! rtph264pay ! udpsink host=${location.hostname} port=${rtpPort}`,
  );
  if (!port) {
    setText(element('publish-lead'), 'SRT is switched off on this server (ingestion.srt.enabled).');
    document.querySelector('.command').hidden = true;
    document.querySelector('#publish .facts').hidden = true;
    return;
  }
  const address = `srt://${location.hostname}:${port}`;
  const secret = hasPassphrase ? '&passphrase=YOUR-PASSPHRASE' : '';
  setText(
    element('command'),
    `ffmpeg -re -i input.mp4 -c copy -f mpegts "${address}?streamid=mystream${secret}"`,
  );
  setText(element('publish-server'), address);
  setText(
    element('publish-passphrase'),
    hasPassphrase ? 'the one this server is configured with' : 'none',
  );
}

async function load(path) {
  const response = await fetch(path, { cache: 'no-store' });
  if (!response.ok) throw new Error(`${path} answers ${response.status}`);
  return response.json();
}

let isServerShown = false;
async function refresh() {
  try {
    if (!isServerShown) {
      await showServer();
      isServerShown = true;
    }
    showStreams((await load('/api/v1/streams')).streams);
    element('trouble').hidden = true;
  } catch {
    setText(element('trouble'), 'The server does not answer. This page keeps trying.');
    element('trouble').hidden = false;
    isServerShown = false;
  }
  setTimeout(refresh, document.hidden ? 5 * REFRESH_MILLISECONDS : REFRESH_MILLISECONDS);
}

for (const button of document.querySelectorAll('[data-copies]')) {
  button.addEventListener('click', async () => {
    const command = element(button.dataset.copies);
    try {
      await navigator.clipboard.writeText(command.textContent);
      button.textContent = 'Copied';
    } catch {
      // No clipboard outside a secure context: select the text, so that Ctrl-C copies it.
      getSelection().selectAllChildren(command);
      button.textContent = 'Press Ctrl-C';
    }
    setTimeout(() => { button.textContent = 'Copy'; }, 2000);
  });
}

refresh();
