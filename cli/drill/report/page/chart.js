// --- the chart -----------------------------------------------------------------------------------------------------
const most = 30; // databases that are shown without being asked for: those that were away longest
const cost = Object.fromEntries(run.unavailable.map(u => [u.db, u.total_us]));
const databases = [...new Set(run.rows.concat(run.recovery).map(r => r.db).filter(Boolean))].sort((a, b) => (cost[b] || 0) - (cost[a] || 0));
let wanted = new Set(databases.slice(0, most));
const usesOf = (db, n) => (run.uses || []).filter(u => u.db === db && u.node === n);
const allRows = run.rows.map(r => ({ db: r.db, label: (r.db === null ? 'recovery mode' : r.db), node: r.node, spans: r.spans.map(s => ({ ...s, what: s.state })), marks: r.marks, uses: usesOf(r.db, r.node) }))
  .concat([...Map.groupBy(run.recovery, s => s.db || null)].map(([db, stories]) => ({ db, label: (db || 'cluster') + ' ', node: 'leader',
    spans: stories.flatMap(s => s.phases.map(p => ({ ...p, what: p.phase, leader: true }))), marks: [], uses: [] })));
let rows, all, height;
const lanes = 4, laneHeight = 15, crowded = (run.uses || []).length > 0, rowHeight = crowded ? 30 : 22, top = 10 + laneHeight * Math.max(2, Math.min(lanes, run.faults.length)), left = 190;
const rateHeight = run.throughput.done.length ? 70 : 0, waitHeight = (run.throughput.waiting || []).some(n => n) ? 40 : 0;
let view = { from: run.from_us, to: run.to_us }, focused = -1;
const chart = $('chart');
function choose() {
  rows = allRows.filter(r => r.db === null || wanted.has(r.db));
  all = [];
  rows.forEach((r, i) => r.spans.forEach(s => all.push({ row: i, span: s })));
  all.sort((a, b) => a.span.from_us - b.span.from_us || a.row - b.row);
  height = top + rows.length * rowHeight + (rateHeight ? rateHeight + 24 : 0) + (waitHeight ? waitHeight + 12 : 0) + 26;
  chart.setAttribute('height', height);
}
choose();
if (databases.length > most) {
  $('more').hidden = false;
  const b = $('more').querySelector('button');
  b.textContent = `the ${most} databases that were away longest are shown: show all ${databases.length}`;
  b.addEventListener('click', () => { wanted = new Set(databases); choose(); draw(); $('more').hidden = true; });
}
const width = () => Math.max(400, chart.clientWidth);
const x = us => left + (us - view.from) / (view.to - view.from) * (width() - left - 10);
const describe = (r, s) => `${r.label.trim()}${r.node === 'leader' ? ' (leader)' : ', node ' + r.node}: ${s.what.replace('_', ' ')} for ${ms(s.to_us - s.from_us)}${s.open ? ' and still' : ''}, from ${at(s.from_us)}. ${meaning[s.what] ? meaning[s.what] + '.' : ''}`;
const describeUse = u => u.what === 'migrates' ? `The record ${u.db}/${u.key} is on its way to node ${u.node} for ${ms(u.to_us - u.from_us)}, from ${at(u.from_us)}.`
  : `${u.who} ${u.what === 'holds' ? 'holds the lock of' : 'waits for'} ${u.db}/${u.key} on node ${u.node} for ${ms(u.to_us - u.from_us)}, from ${at(u.from_us)}${u.end ? '; it ends ' + u.end : ''}.`;
const describeFault = f => `Fault: ${f.what}, ${at(f.from_us)}${f.to_us > f.from_us ? ` to ${at(f.to_us)} (${ms(f.to_us - f.from_us)})` : ''}.`;
const explain = text => { $('explain').textContent = text; };

// A label stays inside the picture: it begins further left, or is cut off.
const letter = 6.5;
function labelOf(what, wanted, right) {
  const room = Math.floor((right - left) / letter);
  const text = what.length > room ? what.slice(0, Math.max(1, room - 1)) + '…' : what;
  const begin = Math.max(left, Math.min(wanted, right - letter * text.length));
  return { text, begin, end: begin + letter * text.length };
}
// Marks that would lie on each other are one, with the signs of all of them.
const markWidth = 9;
function groupsOf(marks) {
  const groups = [];
  for (const m of marks.filter(m => m.t_us >= view.from && m.t_us <= view.to).sort((a, b) => a.t_us - b.t_us)) {
    const last = groups[groups.length - 1], here = x(m.t_us);
    const joined = last && !last.signs.includes(m.sign) ? last.signs.length + 1 : last ? last.signs.length : 0;
    if (last && here - last.middle < markWidth * (joined + 1) / 2) {
      last.those.push(m);
      if (!last.signs.includes(m.sign)) last.signs.push(m.sign);
    } else {
      groups.push({ signs: [m.sign], middle: here, those: [m] });
    }
  }
  return groups;
}
// Where the name of a bar can stand without lying on a mark; null: nowhere.
function roomFor(name, x1, x2, marks) {
  const need = letter * name.length;
  let begin = x1 + 4;
  for (const m of marks) {
    const half = markWidth * m.signs.length / 2;
    if (m.middle + half < begin || m.middle - half > x2) continue;
    if (begin + need <= m.middle - half) return begin;
    begin = m.middle + half + 3;
  }
  return begin + need <= x2 ? begin : null;
}
// The height of a chart of rates: a peak, as when everybody begins at once, shall not flatten the rest.
function ceiling(values) {
  const sorted = values.filter(v => v > 0).sort((a, b) => a - b);
  if (!sorted.length) return 1;
  return Math.max(1, Math.min(sorted[sorted.length - 1], 2 * sorted[Math.floor(sorted.length * .9)]));
}
function draw() {
  chart.replaceChildren();
  const w = width();
  const step = (() => { const raw = (view.to - view.from) / 8; const p = 10 ** Math.floor(Math.log10(raw)); return [1, 2, 5, 10].map(k => k * p).find(k => k >= raw); })();
  const decimals = Math.max(1, Math.min(6, Math.ceil(-Math.log10(step / 1e6))));
  for (let t = Math.ceil((view.from - run.zero_us) / step) * step + run.zero_us; t <= view.to; t += step) {
    chart.append(node('line', { class: 'grid', x1: x(t), x2: x(t), y1: top - 6, y2: height - 22 }));
    chart.append(node('text', { class: 'tick', x: x(t), y: height - 7, 'text-anchor': x(t) > w - 40 ? 'end' : 'middle' }, at(t, decimals)));
  }
  const ends = Array(lanes).fill(-1);
  for (const f of run.faults) {
    if (f.to_us < view.from || f.from_us > view.to) continue;
    const x1 = Math.max(left, x(f.from_us)), x2 = Math.min(w - 10, x(Math.max(f.to_us, f.from_us)));
    const told = e => { e.append(node('title', {}, describeFault(f))); e.addEventListener('pointerenter', () => explain(describeFault(f))); chart.append(e); };
    if (x2 > x1) told(node('rect', { class: 'window', x: x1, y: 0, width: x2 - x1, height: height - 22 }));
    if (x(f.from_us) < left) continue;
    told(node('line', { class: 'fault', x1, x2: x1, y1: 0, y2: height - 22 }));
    const { text, begin, end } = labelOf(f.what, x1 + 3, w - 10);
    const lane = ends.findIndex(e => e < begin);
    if (lane < 0) continue;
    ends[lane] = end + 9;
    told(node('text', { x: begin, y: 12 + lane * laneHeight, class: 'fault-name' }, text));
  }
  rows.forEach((r, i) => {
    const y = top + i * rowHeight;
    const first = i === 0 || rows[i - 1].label !== r.label;
    if (first) chart.append(node('text', { x: 8, y: y + 14, 'font-weight': 600 }, r.label.length > 20 ? r.label.slice(0, 19) + '…' : r.label));
    chart.append(node('text', { class: 'tick', x: left - 8, y: y + 14, 'text-anchor': 'end' }, r.node === 'leader' ? 'leader' : 'node ' + r.node));
    chart.append(node('line', { class: 'grid', x1: left, x2: w - 10, y1: y + rowHeight - 2, y2: y + rowHeight - 2 }));
    const inset = crowded ? 7 : 2, marks = groupsOf(r.marks);
    for (const s of r.spans) {
      if (s.to_us < view.from || s.from_us > view.to) continue;
      const x1 = Math.max(left, x(s.from_us)), x2 = Math.min(w - 10, x(s.to_us));
      const rect = node('rect', { class: 'span ' + (s.leader ? 'phase' : s.what), x: x1, y: y + inset, height: rowHeight - 4 - inset - (crowded ? 5 : 0), width: Math.max(1.5, x2 - x1), tabindex: -1, rx: 1.5 });
      rect.dataset.what = s.what;
      rect.append(node('title', {}, describe(r, s)));
      rect.addEventListener('pointerenter', () => explain(describe(r, s)));
      rect.addEventListener('focus', () => explain(describe(r, s)));
      s.shape = rect;
      chart.append(rect);
      const name = s.what.replace('_', ' '), begin = roomFor(name, x1, x2, marks);
      if (begin !== null) chart.append(node('text', { class: 'span-name on-' + s.what, x: begin, y: y + inset + (crowded ? 11 : 12), 'pointer-events': 'none' }, name));
    }
    for (const u of r.uses) {
      if (u.to_us < view.from || u.from_us > view.to) continue;
      const x1 = Math.max(left, x(u.from_us)), x2 = Math.min(w - 10, x(u.to_us));
      const bar = node('rect', { class: 'use ' + u.what, x: x1, y: u.what === 'holds' ? y + 2 : y + rowHeight - 8, height: 4, width: Math.max(1.5, x2 - x1) });
      bar.append(node('title', {}, describeUse(u)));
      bar.addEventListener('pointerenter', () => explain(describeUse(u)));
      chart.append(bar);
    }
    for (const { signs: seen, middle, those } of marks) {
      const t = node('text', { class: 'mark', x: middle, y: y + inset + (crowded ? 11 : 12), 'text-anchor': 'middle', 'font-weight': 700 }, seen.join(''));
      t.append(node('title', {}, those.map(m => signs[m.sign] + ', ' + at(m.t_us)).join('\n')));
      t.addEventListener('pointerenter', () => explain(`${r.label}, node ${r.node}: ` + those.map(m => `${at(m.t_us)} ${signs[m.sign]}`).join('; ') + '.'));
      chart.append(t);
    }
  });
  if (rateHeight) {
    const base = top + rows.length * rowHeight + rateHeight + 14, sums = run.throughput.done.map((d, i) => d + (run.throughput.failed[i] || 0)), most = ceiling(sums), peak = Math.max(...sums);
    chart.append(node('text', { x: 8, y: base - rateHeight + 12, 'font-weight': 600 }, 'operations'));
    chart.append(node('text', { class: 'tick', x: 8, y: base - rateHeight + 28 }, 'up to ' + Math.round(peak / run.throughput.bucket_us * 1e6) + ' /s'));
    run.throughput.done.forEach((d, i) => {
      const t = run.from_us + i * run.throughput.bucket_us;
      if (t + run.throughput.bucket_us < view.from || t > view.to) return;
      const x1 = Math.max(left, x(t)), x2 = Math.min(w - 10, x(t + run.throughput.bucket_us));
      const h = Math.min(1, d / most) * rateHeight, bad = Math.min(rateHeight - h, (run.throughput.failed[i] || 0) / most * rateHeight);
      chart.append(node('rect', { class: 'rate', x: x1, y: base - h, width: Math.max(.5, x2 - x1), height: h }));
      if (bad) chart.append(node('rect', { class: 'rate-failed', x: x1, y: base - h - bad, width: Math.max(.5, x2 - x1), height: bad }));
    });
    if (waitHeight) drawWaiting(base + 12 + waitHeight);
  }
}
function drawWaiting(base) {
  const counts = run.throughput.waiting, most = Math.max(1, ...counts), bucket = run.throughput.bucket_us;
  chart.append(node('text', { x: 8, y: base - waitHeight + 12, 'font-weight': 600 }, 'waiting'));
  chart.append(node('text', { class: 'tick', x: 8, y: base - waitHeight + 28 }, 'up to ' + most));
  counts.forEach((n, i) => {
    const t = run.from_us + i * bucket;
    if (!n || t + bucket < view.from || t > view.to) return;
    const x1 = Math.max(left, x(t)), x2 = Math.min(width() - 10, x(t + bucket)), h = n / most * waitHeight;
    chart.append(node('rect', { class: 'waiting', x: x1, y: base - h, width: Math.max(.5, x2 - x1), height: h }));
  });
}
function show(from, to) {
  const span = Math.min(run.to_us - run.from_us, Math.max(1000, (to - from) * 2));
  view = { from: (from + to - span) / 2, to: (from + to + span) / 2 };
  move(0);
}
function zoom(factor, center) {
  const c = center === undefined ? (view.from + view.to) / 2 : center;
  const least = Math.max(10, (run.to_us - run.from_us) / 1e5);
  const span = Math.min(run.to_us - run.from_us, Math.max(least, (view.to - view.from) * factor));
  const from = Math.min(Math.max(run.from_us, c - (c - view.from) * span / (view.to - view.from)), run.to_us - span);
  view = { from, to: from + span }; draw();
}
function move(share) {
  const span = view.to - view.from;
  const from = Math.min(Math.max(run.from_us, view.from + share * span), run.to_us - span);
  view = { from, to: from + span }; draw();
}
function focus(i) {
  if (!all.length) return;
  focused = (i + all.length) % all.length;
  const s = all[focused].span;
  if (s.to_us < view.from || s.from_us > view.to) { const half = (view.to - view.from) / 2; view = { from: s.from_us - half, to: s.from_us + half }; move(0); }
  if (!s.shape || !s.shape.isConnected) draw();
  s.shape.focus();
}
chart.addEventListener('keydown', e => {
  const keys = { ArrowLeft: () => move(-.2), ArrowRight: () => move(.2), '+': () => zoom(.5), '=': () => zoom(.5), '-': () => zoom(2),
    '0': () => { view = { from: run.from_us, to: run.to_us }; draw(); }, n: () => focus(focused + 1), p: () => focus(focused - 1) };
  if (!keys[e.key]) return;
  e.preventDefault(); keys[e.key]();
  if (!chart.contains(document.activeElement)) chart.focus();
});
document.addEventListener('keydown', e => {
  if (e.key === '/' && document.activeElement !== $('search')) { e.preventDefault(); $('search').focus(); }
});
chart.addEventListener('wheel', e => { e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : .8, view.from + (e.offsetX - left) / (width() - left - 10) * (view.to - view.from)); }, { passive: false });
let dragged = null;
chart.addEventListener('pointerdown', e => { dragged = e.offsetX; });
chart.addEventListener('pointermove', e => { if (dragged === null || !e.buttons) return; const d = (dragged - e.offsetX) / (width() - left - 10); dragged = e.offsetX; move(d); });
addEventListener('pointerup', () => { dragged = null; });
addEventListener('resize', draw);
draw();
explain(rows.length ? 'Point at a bar, or press n, to have it explained.' : 'Nothing was out of the ordinary.');

