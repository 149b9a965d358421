// Numbers, times and codec strings as people read them.

/** 12_345_678 → "12.3 Mbit/s". */
export function bitrate(bitsPerSecond) {
  if (!Number.isFinite(bitsPerSecond) || bitsPerSecond <= 0) return '–';
  if (bitsPerSecond < 1e6) return `${Math.round(bitsPerSecond / 1e3)} kbit/s`;
  return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond < 1e8 ? 1 : 0)} Mbit/s`;
}

/** 0.8437 → "0.84 s". */
export function seconds(value, digits = 2) {
  return Number.isFinite(value) ? `${value.toFixed(digits)} s` : '–';
}

/** The two largest units of a length of time: "3 h 12 min". */
export function elapsed(milliseconds) {
  const total = Math.max(0, Math.floor(milliseconds / 1000));
  const units = [
    [Math.floor(total / 86400), 'd'],
    [Math.floor(total / 3600) % 24, 'h'],
    [Math.floor(total / 60) % 60, 'min'],
    [total % 60, 's'],
  ];
  const first = units.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return units
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

const h264Profiles = {
  42: 'Baseline', '4d': 'Main', 58: 'Extended', 64: 'High', '6e': 'High 10', '7a': 'High 4:2:2',
  f4: 'High 4:4:4',
};
const hevcProfiles = { 1: 'Main', 2: 'Main 10', 3: 'Main Still', 4: 'Range Extensions' };
const av1Profiles = { 0: 'Main', 1: 'High', 2: 'Professional' };
const aacObjects = { 2: 'AAC-LC', 5: 'HE-AAC', 29: 'HE-AAC v2', 34: 'MP3' };

/** One RFC 6381 codec string in words: "avc1.64001f" → "H.264 High 3.1". */
export function codecName(codec) {
  const fields = codec.split('.');
  switch (fields[0].toLowerCase()) {
    case 'avc1':
    case 'avc3': {
      const profile = h264Profiles[fields[1]?.slice(0, 2).toLowerCase()] ?? '';
      const level = parseInt(fields[1]?.slice(4), 16) / 10;
      return ['H.264', profile, Number.isFinite(level) ? level.toFixed(1) : ''].join(' ').trim();
    }
    case 'hvc1':
    case 'hev1': {
      const profile = hevcProfiles[fields[1]?.replace(/^[ABC]/, '')] ?? '';
      const level = parseInt(fields[3]?.slice(1), 10) / 30;
      return ['HEVC', profile, Number.isFinite(level) ? level.toFixed(1) : ''].join(' ').trim();
    }
    case 'av01':
      return ['AV1', av1Profiles[fields[1]] ?? '', fields[3] === '10' ? '10-bit' : '']
        .join(' ').trim();
    case 'mp4a':
      return aacObjects[fields[2]] ?? 'AAC';
    case 'opus':
      return 'Opus';
    case 'ac-3':
      return 'Dolby Digital (AC-3)';
    case 'ec-3':
      return 'Dolby Digital Plus (E-AC-3)';
    case 'jxsm':
    case 'jxs1':
      return 'JPEG XS';
    default:
      return codec;
  }
}

/** A CODECS attribute, split. */
export function codecList(codecs) {
  return (codecs ?? '').split(',').map((codec) => codec.trim()).filter(Boolean);
}
