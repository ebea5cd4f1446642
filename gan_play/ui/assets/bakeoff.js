// A bake-off: what to compare, the grids side by side after equal seconds, and the blind vote. Everything that the
// server says is set as text. The facts come from an address that is asked only while this part is in sight.
// Runs with Gradio's `element`, `props`, `trigger` and `watch`.

const part = (name) => element.querySelector(`.bake-${name}`);
const LOOK_MS = 3000;
let told = null;      // the facts of the bake-off in sight
let current = '';     // its id
let waiting = false;  // a press is being answered
let pair = null;      // the pair in sight: {number, voted}
let seenAt = 0, ticks = 0, opened = false, pressed = 'begin';

const fill = (text, ...values) => values.reduce((all, value, i) =>
  all.replace(values.length > 1 ? `%${i + 1}` : '%', value), text);
const clock = (seconds) => seconds < 60 ? `${Math.round(seconds)} s`
  : seconds < 3600 ? `${Math.floor(seconds / 60)} min${Math.round(seconds % 60) ? ` ${Math.round(seconds % 60)} s` : ''}`
    : `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`;
const make = (tag, name, text) => {
  const node = document.createElement(tag);
  if (name) node.className = name;
  if (text !== undefined) node.textContent = text;
  return node;
};

// Choosing

function unable(row) { // why a recipe can't join
  const size = Number(part('size').value);
  if (!row.sizes.includes(size)) return fill(props.value.words.not_size, size);
  return row.needs_labels && props.value.subject && !props.value.subject.labels ? props.value.words.not_labels : '';
}

function choices() {
  const host = part('choices');
  if (!host.children.length) {
    host.append(...props.value.recipes.map((row) => {
      const label = make('label', 'bake-recipe');
      const box = make('input');
      box.type = 'checkbox';
      box.value = row.name;
      box.checked = row.first;
      const about = make('span');
      about.append(make('strong', '', row.title), make('span', 'subdued', row.sentence));
      label.append(box, about);
      return label;
    }));
  }
  props.value.recipes.forEach((row, i) => {
    const why = unable(row);
    const [box, about] = host.children[i].children;
    box.disabled = Boolean(why);
    host.children[i].classList.toggle('unable', box.disabled);
    about.lastChild.textContent = why || row.sentence;
  });
  total();
}

const chosen = () => [...part('choices').querySelectorAll('input:checked:not(:disabled)')].map((box) => box.value);

function total() {
  const { words, subject, extra_seconds } = props.value;
  const count = chosen().length, minutes = Number(part('minutes').value);
  const enough = count >= 2 && count <= 5;
  const inRange = minutes >= 1 && minutes <= 480;
  part('total').textContent = !subject ? '' : !enough ? words.few : !inRange ? words.range
    : fill(words.total, count, minutes, clock(60 * Math.round(count * (minutes + extra_seconds / 60))));
  part('begin').disabled = !subject || !enough || !inRange || waiting;
  part('subject').textContent = subject ? subject.text : words.no_set;
}

// What has come of it

function picture(row, seconds) { // the last grid within these seconds
  return [...row.grids].reverse().find((grid) => grid[1] <= seconds + 0.01);
}

function grids() {
  if (!told) return;
  const { words } = props.value;
  const seconds = told.seconds * Number(part('slider').value) / 100;
  part('when').textContent = fill(words.when, clock(seconds));
  const host = part('grids');
  while (host.children.length > told.rows.length) host.lastChild.remove();
  while (host.children.length < told.rows.length) {
    const figure = make('figure');
    const title = make('p', 'bake-title');
    title.append(make('strong'), make('span', 'chip'));
    const frame = make('div', 'bake-frame');
    frame.append(make('img'), make('span', 'subdued'));
    figure.append(title, frame, make('p', 'bake-sofar subdued'), make('div', 'bake-lines'));
    host.append(figure);
  }
  host.style.setProperty('--columns', told.rows.length);
  host.classList.toggle('sharp', told.sharp);
  told.rows.forEach((row, i) => {
    const [title, frame, sofar, lines] = host.children[i].children;
    const grid = picture(row, seconds), short = !row.over && row.seconds < seconds;
    title.firstChild.textContent = row.title;
    title.lastChild.textContent = row.state;
    title.lastChild.hidden = !row.state;
    const [image, none] = frame.children;
    image.hidden = !grid;
    none.hidden = Boolean(grid);
    none.textContent = words.none;
    if (grid) {
      const src = `gradio_api/run/${row.run}/grid/${grid[0]}.webp`;
      if (image.getAttribute('src') !== src) image.src = src;
      image.alt = `${row.title}, ${clock(grid[1])}`;
    }
    frame.classList.toggle('short', Boolean(grid) && short);
    sofar.textContent = grid && short ? fill(words.sofar, clock(row.seconds)) : '';
    sofar.hidden = !sofar.textContent;
    const seen = grid ? [[fill(words.seen, grid[2].toLocaleString()), row.speed].filter(Boolean).join(' · ')] : [];
    lines.replaceChildren(...[...seen, ...row.lines].map((line) => make('p', '', line)));
  });
}

function vote() {
  const { words } = props.value;
  const { votes } = told;
  if (!pair || (pair.number !== votes.next && !pair.voted)) pair = votes.next === null ? null : { number: votes.next };
  const there = Boolean(pair);
  part('pair').hidden = !there;
  part('choose').hidden = !there || Boolean(pair.voted);
  part('next').hidden = !there || !pair.voted || votes.next === null;
  if (there) {
    part('pair').querySelectorAll('figure').forEach((figure, i) => {
      const src = `gradio_api/bakeoff/${current}/${pair.number}-${['left', 'right'][i]}.webp`;
      const image = figure.querySelector('img');
      if (part('vote').open && image.getAttribute('src') !== src) image.src = src;
      figure.querySelector('button').disabled = Boolean(pair.voted);
      figure.querySelector('figcaption').textContent = pair.voted ? pair.voted[['left', 'right'][i]] : '';
      figure.classList.toggle('chosen', pair.voted?.choice === ['left', 'right'][i]);
    });
  }
  part('pair').classList.toggle('sharp', told.sharp);
  part('after').textContent = there && !pair.voted ? votes.after : '';
  part('told').textContent = there && pair.voted ? pair.voted.sentence : there ? '' : votes.all ? words['vote.all'] : words['vote.wait'];
  if (there && pair.voted && votes.all) part('told').textContent += ` ${words['vote.all']}`;
  part('tally').textContent = there && !pair.voted ? '' : votes.sentence; // who leads isn't told before a choice
}

function result() {
  part('result').hidden = !told;
  if (!told) return;
  part('state').textContent = told.state;
  part('state').dataset.state = told.code === 'going' ? 'training' : '';
  part('left').textContent = told.left;
  part('sentence').textContent = told.sentence;
  part('sentence').hidden = !told.sentence;
  part('kid').hidden = !told.sentence;
  part('save').href = `gradio_api/bakeoff/${current}.html`;
  const button = (name) => element.querySelector(`[data-do=${name}]`);
  button('pause').hidden = told.code !== 'going';
  button('resume').hidden = !told.can_go_on;
  grids();
  vote();
}

async function ask() {
  const asked = current;
  if (!asked) return;
  try {
    const answer = await fetch(`gradio_api/bakeoff/${asked}.json`);
    if (asked !== current) return;
    if (answer.ok) told = await answer.json();
    else if (answer.status === 404) { [told, pressed] = [null, 'act']; say(props.value.words.gone); }
    result();
  } catch { /* not connected: the next look may be luckier */ }
}

const say = (text) => { // beside what was pressed
  for (const [name, own] of [['note', pressed === 'begin'], ['said', pressed !== 'begin']]) {
    part(name).textContent = own ? text : '';
    part(name).hidden = !part(name).textContent;
  }
};

function update() {
  const now = props.value;
  if (!now || !now.recipes) return;
  const fresh = now.at !== seenAt;
  seenAt = now.at;
  if (fresh) {
    waiting = false;
    say(now.note);
    const which = part('which');
    which.replaceChildren(...now.list.map(({ id, title }) => {
      const option = make('option', '', title);
      option.value = id;
      return option;
    }));
    const ids = now.list.map(({ id }) => id);
    const next = ids.includes(now.current) ? now.current : ids.includes(current) ? current : ids[0] || '';
    const before = current;
    if (next !== current) {
      [told, pair] = [null, null];
      part('slider').value = 100;
    }
    current = next;
    which.value = current;
    if (now.voted && pair && now.voted.pair === pair.number) pair.voted = { ...now.voted, choice: pair.choice };
    else if (pair && !pair.voted) delete pair.choice; // it wasn't taken: the sentence says why
    if (!current) { told = null; result(); }
    if (!opened || !ids.length) part('setup').open = !ids.length;
    else if (now.current && now.current !== before) part('setup').open = false;
    opened = true;
    ask();
  }
  choices();
}

// Pressing

element.addEventListener('change', (event) => {
  if (event.target === part('size')) choices();
  else if (event.target === part('which')) {
    [current, told, pair] = [part('which').value, null, null];
    ask();
  } else total();
});
part('minutes').addEventListener('input', total);
part('slider').addEventListener('input', grids);
part('vote').addEventListener('toggle', () => {
  element.querySelector('.bake').classList.toggle('voting', part('vote').open);
  if (told) vote();
});

element.addEventListener('click', (event) => {
  if (event.target === part('begin')) {
    waiting = true;
    pressed = 'begin';
    say('');
    total();
    part('total').textContent = props.value.words.preparing;
    trigger('begin', { recipes: chosen(), size: Number(part('size').value), minutes: Number(part('minutes').value) });
    return;
  }
  if (event.target === part('next')) {
    pair = null;
    vote();
    return;
  }
  const choice = event.target.closest('[data-choice]');
  if (choice && pair && !pair.voted && !pair.choice) {
    pair.choice = choice.dataset.choice;
    pressed = 'act';
    trigger('act', { do: 'vote', id: current, pair: pair.number, choice: pair.choice });
    return;
  }
  const wish = event.target.closest('[data-do]')?.dataset.do;
  if (wish && (wish !== 'forget' || confirm(props.value.words['forget.sure']))) {
    pressed = 'act';
    trigger('act', { do: wish, id: current });
  }
});

const insight = () => document.visibilityState === 'visible' && element.offsetParent !== null;
const timer = setInterval(() => {
  if (!element.isConnected) return clearInterval(timer);
  ticks += 1;
  if (insight() && current && (told?.code === 'going' || ticks % 5 === 0)) ask();
}, LOOK_MS);

watch('value', update);
update();
trigger('open', {});
