// The report on a set, as pictures that can be marked to be left out. What is marked is kept here, by the places of the
// pictures, so that each shows the same wherever it stands; a press on "leave out" sends all of them at once.
// The server sends plain data as `props.value`; everything is set from here, as text.
// Runs with Gradio's `element`, `props`, `trigger` and `watch`.

const root = element.querySelector('.doctor');
const part = (name) => root.querySelector(`.doctor-${name}`);
const dropped = new Set();
let shown = '';

const address = (index, size = 96) => `gradio_api/set/${shown}/${index}-${size}.webp`;
const fill = (text, value) => text.replace('%', value);

function make(tag, className, text) {
  const node = document.createElement(tag);
  if (className) node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

function picture(index) { // a button that marks or unmarks one picture
  const name = props.value.names[index] ?? String(index + 1);
  const button = make('button', 'mark');
  button.type = 'button';
  button.dataset.mark = index;
  button.dataset.name = name;
  const image = make('img');
  image.src = address(index);
  image.alt = '';
  image.loading = 'lazy';
  button.append(image);
  return button;
}

function paint() { // every picture, and the line below, as they are marked
  const { words, count } = props.value;
  for (const button of root.querySelectorAll('[data-mark]')) {
    const out = dropped.has(Number(button.dataset.mark));
    button.setAttribute('aria-pressed', out);
    button.title = fill(out ? words.drop : words.keep, button.dataset.name);
    button.setAttribute('aria-label', button.title);
  }
  const left = (count - dropped.size).toLocaleString();
  part('foot').hidden = !dropped.size;
  part('foot').querySelector('span').textContent = words.foot.replace('%', dropped.size.toLocaleString()).replace('%', left);
  part('foot').querySelector('[data-leave]').textContent =
    dropped.size === 1 ? words['leave.one'] : fill(words.leave, dropped.size.toLocaleString());
}

function groups() {
  const { groups, words } = props.value;
  const host = part('groups');
  host.hidden = !groups.length;
  host.querySelector('summary').textContent = words.alike;
  host.querySelector('p').textContent = words['alike.what'];
  const sheet = part('sheet');
  sheet.replaceChildren(...groups.map((group) => {
    const figure = make('figure', 'doctor-group');
    const row = make('div');
    row.append(...group.pictures.map(picture));
    figure.append(row);
    if (group.exact) figure.append(make('figcaption', 'subdued', words.exact));
    return figure;
  }));
  if (words.more) sheet.append(make('p', 'subdued', words.more));
}

function labels() {
  const { labels } = props.value;
  part('labels').hidden = !labels;
  if (!labels) return;
  part('labels').querySelector('summary').textContent = labels.title;
  part('few').textContent = labels.said;
  part('few').hidden = !labels.said;
  part('labels').open = Boolean(labels.said) || labels.rows.length <= 6;
  part('bars').replaceChildren(...labels.rows.flatMap(({ name, count, share, few }) => {
    const bar = make('span', few ? 'bar few' : 'bar');
    bar.style.width = `${Math.max(0.5, share * 100)}%`;
    const track = make('span', 'track');
    track.append(bar);
    return [make('span', 'name', name), track, make('span', 'count', count)];
  }));
}

function update() {
  const now = props.value;
  root.hidden = !now?.set;
  if (!now?.set) {
    shown = '';
    return;
  }
  if (now.set !== shown) {
    shown = now.set;
    dropped.clear();
    for (const index of now.marked) dropped.add(index);
    part('from').hidden = !now.from;
    part('from').querySelector('span').textContent = now.from || '';
    part('from').querySelector('button').textContent = now.words.back;
    part('foot').querySelector('[data-none]').textContent = now.words.none;
    part('groups').open = now.groups.length > 0;
    groups();
    labels();
  }
  paint();
}

element.addEventListener('click', (event) => {
  const at = (what) => event.target.closest(`[data-${what}]`);
  if (at('mark')) {
    const index = Number(at('mark').dataset.mark);
    if (!dropped.delete(index)) dropped.add(index);
    paint();
  } else if (at('none')) {
    dropped.clear();
    paint();
  } else if (at('leave')) trigger('leave', { set: shown, drop: [...dropped].sort((a, b) => a - b) });
  else if (at('back')) trigger('back', { set: shown });
});

watch('value', update);
update();
