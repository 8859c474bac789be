// --- the trace -----------------------------------------------------------------------------------------------------
// of a drill all that was said, of a cluster the events that its nodes keep
const trace = run.trace || [];  // what is kept for comparing has none
const said = trace.length ? trace.map(([t, who, text]) => ({ t, cells: [who, text] }))
  : run.events.map(e => ({ t: e.t_us, cells: ['node ' + e.node, e.event, e.db, e.detail] }));
for (const s of said) s.line = s.cells.join(' ').toLowerCase();
const shown = 500, body = $('trace').querySelector('tbody');
function search() {
  const words = $('search').value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0; body.replaceChildren();
  for (const s of said) {
    if (!words.every(w => s.line.includes(w)) || ++count > shown) continue;
    const r = body.appendChild(node('tr'));
    r.append(node('td', { class: 'n dim' }, at(s.t, 6)));
    s.cells.forEach((c, i) => r.append(node('td', i === 0 || i === 3 ? { class: 'dim' } : {}, c)));
    r.addEventListener('click', () => show(s.t - 5e4, s.t + 5e4));
  }
  $('found').textContent = (count > shown ? `${count} lines, the first ${shown} shown` : `${count} lines`) +
    (run.trace_left_out ? `; ${run.trace_left_out} older ones are only in the file that --trace writes` : '');
}
if (trace.length)
  for (const word of ['drill', 'freeze-state', 'recovery-phase', 'database-recovered', 'migration-resent', 'lock-wait', 'refused', 'unknown', 'node-down']) {
    const found = said.filter(s => s.line.includes(word));
    // a node that is lost once is lost once, however many others say so
    const lost = s => (s.line.match(/pnn=\d+/) || [''])[0];
    const count = word !== 'node-down' ? found.length
      : found.filter((s, i) => !found.slice(0, i).some(o => lost(o) === lost(s) && s.t - o.t < 2e6)).length;
    if (!count) continue;
    const b = $('chips').appendChild(node('button', { type: 'button' }, `${word} ${count}`));
    b.addEventListener('click', () => { $('search').value = word; search(); });
  }
$('search').addEventListener('input', search);
search();
