// Instants are microseconds since 1970, days are texts YYYY-MM-DD, academic years are texts 2024/25.
import { readFileSync } from 'node:fs';

const HOUR = 3600e6;
const DAY = 24 * HOUR;
const { starts } = JSON.parse(readFileSync(new URL('../terms.json', import.meta.url)));

// A function of one text, whose answers are kept.
export function memo(fn) {
  const known = new Map();
  return text => {
    if (!known.has(text)) known.set(text, fn(text));
    return known.get(text);
  };
}

// RFC 3339 to microseconds; further digits are dropped.
export function instant(text) {
  const micros = /\.\d{3}(\d{1,3})/.exec(text);
  return Date.parse(text) * 1000 + (micros ? Number(micros[1].padEnd(3, '0')) : 0);
}

// ---- Europe/London, by the rule in force since 1996 ----

const lastSunday = (year, month) => {
  const last = new Date(Date.UTC(year, month + 1, 0));
  return (last - last.getUTCDay() * 864e5) * 1000;
};
const summerOf = memo(year => ({ from: lastSunday(year, 2) + HOUR, to: lastSunday(year, 9) + HOUR }));

function isSummer(t) {
  const { from, to } = summerOf(new Date(t / 1000).getUTCFullYear());
  return t >= from && t < to;
}

const isoDay = t => new Date(t / 1000).toISOString().slice(0, 10);

export const dayOf = t => isoDay(isSummer(t) ? t + HOUR : t);

export function midnight(day) {
  const t = Date.parse(day) * 1000;
  return isSummer(t - HOUR) ? t - HOUR : t;
}

export const dayAfter = (day, days) => isoDay(Date.parse(day) * 1000 + days * DAY);

// ---- academic years ----

const startOf = year => Date.UTC(year, 8, 1) * 1000 - HOUR; // 1 September is in summer time
const firstYear = t => {
  const year = new Date(t / 1000).getUTCFullYear();
  return t >= startOf(year) ? year : year - 1;
};

export const yearOf = t => {
  const year = firstYear(t);
  return `${year}/${String((year + 1) % 100).padStart(2, '0')}`;
};

const USUAL = ['09-01', '11-01', '01-04', '02-22', '04-15', '06-03'];

// { start, end, firstDay, halfTermEnds }: the ends are days, the first ones that no longer belong to it.
export const academicYear = memo(label => {
  const year = Number(label.slice(0, 4));
  const begins = starts[label] ?? USUAL.map((day, i) => `${i < 2 ? year : year + 1}-${day}`);
  return {
    start: startOf(year), end: startOf(year + 1), firstDay: `${year}-09-01`,
    halfTermEnds: [...begins.slice(1), `${year + 1}-09-01`],
  };
});

export function inYear(label, t) {
  const { start, end } = academicYear(label);
  return t >= start && t < end;
}

// The beginnings of academic years after `from` and before `to`.
export function septembers(from, to) {
  const found = [];
  for (let year = firstYear(from) + 1; startOf(year) < to; year++) found.push(startOf(year));
  return found;
}
