// The report on a set, as pictures that can be marked to be left out. What is marked is kept here, by the places of the
// pictures, so that each shows the same wherever it stands; a press on "leave out" sends all of them at once.
// The server sends plain data as `props.value`; everything is set from here, as text. `map.js` stands before it.
// Runs with Gradio's `element`, `props`, `trigger` and `watch`.

const root = element.querySelector('.doctor');
const part = (name) => root.querySelector(`.doctor-${name}`);
const dropped = new Set();
let shown = '';
let drawn = '';
let paintMap = () => {};
let large = null; // the picture that is shown large

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
  paintMap();
  const out = large !== null && dropped.has(large);
  part('large').querySelector('button').textContent = out ? words['large.keep'] : words['large.drop'];
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
    if (group.rest) figure.append(make('figcaption', 'subdued', fill(words.rest, group.rest.toLocaleString())));
    if (group.exact) figure.append(make('figcaption', 'subdued', words.exact));
    return figure;
  }));
  if (words.more) sheet.append(make('p', 'subdued', words.more));
}

function map() { // the odd ones, and where each picture lies
  const { map, words, names } = props.value;
  part('map').hidden = false;
  part('ask').hidden = Boolean(map);
  part('odd').hidden = part('atlas').hidden = !map;
  part('map').querySelector('summary').textContent = map ? map.title : words.map;
  part('ask').querySelector('p').textContent = words['map.what'];
  part('ask').querySelector('button').textContent = words['map.do'];
  const key = map ? shown : '';
  if (drawn === key) return;
  drawn = key;
  large = null;
  part('large').hidden = true;
  part('atlas').replaceChildren();
  paintMap = () => {};
  if (!map) return;
  part('map').open = true;
  part('odd').querySelector('p').textContent = map.said;
  part('odd').querySelector('.buttons').hidden = !map.outliers.length;
  part('odd').querySelector('[data-all]').textContent = words['odd.all'];
  part('odd').querySelector('[data-stay]').textContent = words['odd.stay'];
  part('odd').querySelector('.doctor-sheet').replaceChildren(...map.outliers.map(picture));
  const odd = new Set(map.outliers);
  paintMap = drawMap(part('atlas'), map, {
    words,
    look: (button, index) => {
      button.title = names[index];
      button.setAttribute('aria-label', names[index]);
      button.className = [odd.has(index) ? 'odd' : '', dropped.has(index) ? 'out' : ''].join(' ');
    },
    pick: (index) => {
      large = index;
      const image = part('large').querySelector('img');
      image.src = address(index, 384);
      image.alt = names[index];
      part('large').querySelector('span').textContent = odd.has(index) ? fill(words['large.odd'], names[index]) : names[index];
      part('large').hidden = false;
      paint();
    },
  });
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
  map();
  paint();
}

element.addEventListener('click', (event) => {
  const at = (what) => event.target.closest(`[data-${what}]`);
  if (at('mark')) {
    const index = Number(at('mark').dataset.mark);
    if (!dropped.delete(index)) dropped.add(index);
    paint();
  } else if (at('toggle')) {
    if (!dropped.delete(large)) dropped.add(large);
    paint();
  } else if (at('all') || at('stay')) {
    for (const index of props.value.map.outliers) at('all') ? dropped.add(index) : dropped.delete(index);
    paint();
  } else if (at('look')) trigger('look', { set: shown });
  else if (at('none')) {
    dropped.clear();
    paint();
  } else if (at('leave')) trigger('leave', { set: shown, drop: [...dropped].sort((a, b) => a - b) });
  else if (at('back')) trigger('back', { set: shown });
});

watch('value', update);
update();
