// --- unavailability and waits -------------------------------------------------------------------------------------
const table = (titles, rows) => {
  const t = node('table'), h = t.appendChild(node('tr'));
  titles.forEach(([c, n]) => h.append(node('th', n ? { class: 'n' } : {}, c)));
  for (const { cells, go } of rows) {
    const r = t.appendChild(node('tr', go ? { class: 'go' } : {}));
    cells.forEach((c, i) => r.append(node('td', titles[i][1] ? { class: 'n' } : {}, c)));
    if (go) r.addEventListener('click', () => { go(); chart.scrollIntoView({ block: 'nearest' }); });
  }
  return t;
};
const away = run.unavailable.filter(u => u.total_us > 0 || u.longest_wait_us > 0), columns = away.slice(0, 8);
const long = us => us > 0 ? ms(us) : '–';
if (run.unavailable.length) {
  const shown = (away.length ? away : run.unavailable).slice(0, 50);
  $('unavailable').append(node('h2', {}, 'Not available (frozen or being recovered)'),
    table([['database'], ['longest', 1], ['on node', 1], ['in all', 1], ['longest wait of a client', 1]],
      shown.map(u => ({ cells: [u.db, long(u.longest_us), u.longest_us ? u.node : '', long(u.total_us), long(u.longest_wait_us)] }))));
  if (shown.length < away.length) $('unavailable').append(node('p', { class: 'dim' }, `and ${away.length - shown.length} more databases, for less`));
}
if (run.faults.length && columns.length)
  $('unavailable').append(node('h2', {}, 'After each fault and before the next: how long a client waited, how long databases were not available'),
    table([['fault'], ['at', 1], ['until', 1], ['longest wait of a client', 1], ...columns.map(u => [u.db, 1])], run.faults.map((f, i) => ({
      cells: [f.what, at(f.from_us), f.to_us > f.from_us ? at(f.to_us) : '', long(f.longest_wait_us), ...columns.map(u => long(u.by_fault_us[i]))],
      go: () => show(f.from_us, Math.max(f.to_us, f.from_us + 1e5)) }))));
const waits = (run.uses || []).filter(u => u.what !== 'holds').sort((a, b) => (b.to_us - b.from_us) - (a.to_us - a.from_us)).slice(0, 12);
if (waits.length)
  $('waits').append(node('h2', {}, 'Longest waits'),
    table([['who'], ['for'], ['node', 1], ['from', 1], ['how long', 1], ['']], waits.map(u => ({
      cells: [u.who || 'migration', u.db + '/' + u.key, u.node, at(u.from_us), ms(u.to_us - u.from_us), u.end],
      go: () => show(u.from_us, u.to_us) }))));

