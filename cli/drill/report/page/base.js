const run = JSON.parse(document.getElementById('run').textContent);
const $ = id => document.getElementById(id);
const meaning = {
  freezing: 'waits for clients that hold record locks; they may finish, nothing new is granted',
  frozen: 'nobody reads or writes; requests wait in the queue of their key',
  in_transaction: 'the recovered records come in; the commit replaces the content in one piece',
  active: 'recovery mode ACTIVE: the cluster is being put right, database by database',
  down: 'the process does not run', paused: 'the process is stopped where it is; its connections stay open',
  names: 'the nodes that have the database say its name', attach: 'nodes that lack the database make it',
  freeze: 'every node freezes its copy, waiting for lock holders', begin: 'a recovery transaction is opened on every node',
  changes: 'the nodes tell which records they have changed since all had the same', compare: 'whose copies of these records are needed',
  copies: 'one that has not changed them sends the copies that are needed',
  fill: 'one node sends everything, for nodes that have nothing', verify: 'what the nodes have now is compared',
  seqnum: 'the sequence numbers decide whose copy counts', pull: 'records come from the nodes that took part in the last generation',
  merge: 'of each record the winning copy is chosen', wipe: 'the old content will be replaced',
  push_start: 'every node makes ready to receive', push: 'the winning records go to every node',
  push_confirm: 'every node tells how many records have arrived', commit: 'every node replaces its content, or what it lacks of it',
  thaw: 'every node serves the database again, and pending requests are sent again', held: 'held by a drill',
  survey: 'who is there, with which generation', recmode_active: 'recovery mode becomes ACTIVE everywhere',
  dbmaps: 'which databases are there', start_recovery: 'all nodes are told', set_vnn_map: 'the new map and generation are set',
  databases: 'all databases recover, each by itself', recmode_normal: 'recovery mode becomes NORMAL', end_recovery: 'all nodes are told' };
const signs = { w: 'a client begins to wait for a lock', R: 'a pending request is sent again', G: 'a lock is granted',
  L: 'a lock is given back', x: 'a node is lost' };
const node = (tag, attributes, text) => {
  const svg = ['svg', 'g', 'rect', 'line', 'text', 'path', 'title'].includes(tag);
  const e = svg ? document.createElementNS('http://www.w3.org/2000/svg', tag) : document.createElement(tag);
  for (const [k, v] of Object.entries(attributes || {})) e.setAttribute(k, v);
  if (text !== undefined) e.textContent = text;
  return e;
};
// as age_text() of the command line
const ms = us => us < 10000 ? (us / 1000).toFixed(1) + ' ms' : us < 1e6 ? Math.round(us / 1000) + ' ms' : us < 1e8 ? (us / 1e6).toFixed(1) + ' s' : Math.round(us / 6e7) + ' min';
// a drill has a clock of its own, which its trace tells; else the beginning of the picture is 0
const clock = run.zero_us < run.from_us;
const at = (us, decimals = 3) => clock ? ((us - run.zero_us) / 1e6).toFixed(decimals) + ' s' : '+' + ms(us - run.zero_us);

$('title').textContent = run.title;
document.title = run.title + (run.verdict ? (run.verdict === 'good' ? ': held' : ': failed') : '') + ' – floe';
if (run.verdict) {
  $('verdict').textContent = run.verdict === 'good' ? '✓ held' : '✗ failed';
  $('verdict').classList.add(run.verdict === 'good' ? 'good' : 'bad');
}
const ctdbds = run.nodes.filter(n => n.kind === 'ctdbd').length;
$('about').textContent = [run.reason, run.mode, run.seed !== null && run.seed !== undefined ? 'seed ' + run.seed : '',
  run.nodes.length + ' nodes' + (ctdbds ? `, ${ctdbds} of them ctdbd` : ''), ms(run.to_us - (clock ? run.zero_us : run.from_us))].filter(Boolean).join(' · ');
$('story').textContent = run.story || '';
if (run.checks.length) {
  const t = node('table');
  for (const c of run.checks) {
    const r = t.appendChild(node('tr'));
    r.appendChild(node('td', { class: c.good ? 'good' : 'bad' }, c.good ? '✓' : '✗'));
    r.appendChild(node('td', { class: 'n dim' }, at(c.t_us)));
    r.appendChild(node('td', {}, c.what));
    r.appendChild(node('td', { class: 'dim' }, c.detail));
  }
  const bad = run.checks.filter(c => !c.good).length, d = node('details', bad ? { open: '' } : {});
  d.append(node('summary', {}, bad ? `${bad} of ${run.checks.length} checks failed` : `${run.checks.length} checks, all good`), t);
  $('checks').append(d);
}
for (const [what, label] of [['freezing', 'freezing'], ['frozen', 'frozen'], ['in_transaction', 'in transaction'], ['active', 'recovery mode ACTIVE'], ['phase', "phase of the leader's recovery"],
  ...(run.mode === 'cluster' ? [] : [['down', 'node down'], ['paused', 'node paused'], ['holds', 'a client holds a lock'], ['waits', 'a client waits'], ['accent', 'a record is on its way']])]) {
  const s = node('span'); const sw = node('i', { class: 'swatch' });
  sw.style.background = 'var(--' + what + ')'; s.append(sw, label); $('legend').append(s);
}
for (const [s, label] of Object.entries(signs)) $('legend').append(node('span', {}, s + ' ' + label));

