// The wall of kept works is hung anew when one was kept or taken down, here or in another tab; not while somebody
// writes on it. Chosen works stay chosen from page to page. Stands before tiles.js, which answers [data-do].
let hung = '';
const chosen = new Set();
const first = () => element.querySelector('.works')?.dataset.first || '0';

const mark = () => {
  element.querySelectorAll('.work').forEach((work) => {
    work.querySelector('.mark input').checked = chosen.has(work.dataset.id);
    work.classList.toggle('chosen', chosen.has(work.dataset.id));
  });
  const bar = element.querySelector('.wall-bar .chosen');
  if (!bar) return;
  bar.hidden = !chosen.size;
  const count = bar.querySelector('[data-words]');
  count.textContent = count.dataset.words.replace('%', chosen.size);
};

regularly(4, async () => {
  const now = await server.stamped('');
  if (now === hung || element.querySelector('details[open]')) return;
  hung = now;
  trigger('look', {first: first()});
});

element.addEventListener('change', (event) => {
  const box = event.target.closest('.mark input');
  if (!box) return;
  chosen[box.checked ? 'add' : 'delete'](box.closest('.work').dataset.id);
  mark();
});

element.addEventListener('click', (event) => {
  const button = event.target.closest('[data-wall]');
  if (!button) return;
  const [act, ids] = [button.dataset.wall, [...chosen]];
  if (act === 'all') element.querySelectorAll('.work').forEach((work) => chosen.add(work.dataset.id));
  else if (act === 'none') chosen.clear();
  else if (act === 'back' || act === 'forth') {
    trigger('act', {do: 'turn', way: act, first: first()});
    element.scrollIntoView();
  } else if (act === 'describe') {
    const work = button.closest('.work');
    const [name, notes] = work.querySelectorAll('.about input, .about textarea');
    work.querySelector('details').open = false;
    trigger('act', {do: act, id: work.dataset.id, name: name.value, notes: notes.value, first: first()});
  } else {
    if (act === 'remove') chosen.clear();
    trigger('act', {do: act, ids, first: first()});
  }
  mark();
});

watch('value', mark);
