// The script of ui/timeline.py: it sends the whole plan whenever something of it is changed, moved, added or taken out.
// It goes through a field, as in directions.js, so that the last state is always heard; its mark comes back with the
// answer.
const rows = () => [...element.querySelectorAll('.key')];
const plan = () => {
  const part = (name) => element.querySelector('[data-plan="' + name + '"]');
  const number = (name) => part(name) ? Number(part(name).value) : null;
  const keys = rows().map((row) => {
    const box = (name) => row.querySelector('[data-key="' + name + '"]');
    return {code: row.dataset.code, seconds: Number(box('seconds')?.value || row.dataset.seconds),
      easing: box('easing')?.value || row.dataset.easing, hold: Number(box('hold').value || 0)};
  });
  const moving = [...element.querySelectorAll('[data-plan="moving"]:checked')].map((tick) => tick.value);
  const swept = part('sweep').checked;
  return {keys, moving, kind: part('kind').value, loop: part('loop').checked, grid: number('grid'),
    radius: number('radius'), until: swept ? number('until') ?? 1.2 : null, sweeps: sweeps(),
    length: number('length'), reactions: reactions()};
};
const reactions = () => [...element.querySelectorAll('.reaction')].map((row) => [...row.querySelectorAll('[data-react]')]
  .map((box) => box.type === 'number' ? Number(box.value) : box.value)).filter((row) => row[0] && row[2]);
const sweeps = () => [...element.querySelectorAll('.sweep')].map((row) => {
  const box = (name) => row.querySelector('[data-sweep="' + name + '"]');
  return [box('name').value, Number(box('from')?.value ?? -1), Number(box('to')?.value ?? 1)];
}).filter((row) => row[0]);
let sent = '';  // the mark of what isn't answered yet
const send = () => {
  sent = String(Date.now());
  const field = document.querySelector('#play-edited textarea');
  field.value = sent + ' ' + JSON.stringify(plan());
  field.dispatchEvent(new Event('input'));
};
const bring = async (box) => {
  const form = new FormData(), file = box.files[0];
  if (!file) return;
  form.append('files', file);
  box.closest('label').classList.add('busy');
  try {
    const answer = await fetch('gradio_api/upload', {method: 'POST', body: form});
    const [path] = await answer.json();
    trigger('sound', {path});
  } catch (lost) { trigger('sound', {path: ''}); }
  box.value = '';
};
// What a patch would take away: what boxes say that isn't answered yet, and the box that is being typed into.
const held = new Map();
let typed = null;
element.addEventListener('input', ({target}) => {
  if (target.type !== 'number') return;
  held.set(target, target.value);
  typed = target;
});
element.addEventListener('focusout', () => { typed = null; });
element.addEventListener('change', (event) => {
  typed = null;
  if (event.target.dataset.add === 'sound') return bring(event.target);
  if (event.target.dataset.add === 'code') {
    const code = event.target.value.trim();
    event.target.value = '';
    return code ? trigger('more', {what: 'code', code}) : undefined;
  }
  send();
});
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (!button || !element.contains(button)) return;
  if (button.dataset.add) return trigger('more', {what: button.dataset.add, code: ''});
  if (button.dataset.act) return trigger('more', {what: button.dataset.act, code: ''});
  if (!button.dataset.move) return;
  const row = button.closest('.key'), by = Number(button.dataset.move), all = rows();
  const other = all[all.indexOf(row) + by];
  if (!by) row.remove();
  else if (!other) return;
  else by < 0 ? other.before(row) : other.after(row);
  button.focus();
  send();
});
let carried = null;
element.addEventListener('dragstart', (event) => {
  carried = event.target.closest?.('.key');
  if (carried) event.dataTransfer.effectAllowed = 'move';
});
element.addEventListener('dragover', (event) => {
  const over = event.target.closest?.('.key');
  if (carried && over) event.preventDefault();
});
element.addEventListener('drop', (event) => {
  const over = event.target.closest?.('.key'), all = rows();
  if (!carried || !over || over === carried) return;
  event.preventDefault();
  all.indexOf(over) > all.indexOf(carried) ? over.after(carried) : over.before(carried);
  carried = null;
  send();
});
// What is patched keeps some of what was typed or ticked: the value that the server says is put back, unless it is older
// than what was done here since, or somebody is typing there.
watch('value', () => {
  element.querySelectorAll('.busy').forEach((label) => label.classList.remove('busy'));
  const row = element.querySelector('.timeline'), older = sent && row && row.dataset.mark !== sent;
  if (!older) {
    sent = '';
    for (const box of held.keys()) if (box !== typed) held.delete(box);
  }
  element.querySelectorAll('input[type=number]').forEach((box) => {
    const shown = held.get(box) ?? box.getAttribute('value');
    if (box.value !== shown) box.value = shown;
  });
  if (older) return;
  element.querySelectorAll('input[type=checkbox]').forEach((box) => { box.checked = box.hasAttribute('checked'); });
  element.querySelectorAll('select').forEach((list) => {
    const chosen = list.querySelector('option[selected]');
    if (chosen) list.value = chosen.value;
  });
});
