// One run, live: its grid with a slider through all past grids, tiles that can be clicked, numbers and two plots.
// The template never changes; the server sends plain data and everything is set from here, as text. It comes as
// `props.value` when a run is opened or its controls change; what is new in between is asked for every two seconds.
// The slider works in the browser alone; it follows the newest grid until it is moved back.
// Runs after `poll.js`, with Gradio's `element`, `props`, `server`, `trigger` and `watch`.

const part = (name) => element.querySelector(`.live-${name}`);
const slider = part('slider').querySelector('input');
let now = props.value;
let shown = { run: '', step: -1, follow: true };

const address = (run, step) => `gradio_api/run/${run}/grid/${step}.webp`;

function picture(run, step) {
  const image = part('grid').querySelector('img');
  part('grid').hidden = step === undefined;
  part('waiting').hidden = step !== undefined;
  part('slider').hidden = now.steps.length < 2;
  part('caption').hidden = step === undefined;
  if (step === undefined) return;
  if (shown.run !== run || shown.step !== step) {
    image.src = address(run, step);
    image.alt = `${now.name}, step ${step.toLocaleString()}`;
    shown.run = run;
    shown.step = step;
  }
  const steps = now.steps;
  part('when').textContent = step === steps.at(-1) ? now.words.newest.replace('%', step.toLocaleString())
    : now.words.past.replace('%', step.toLocaleString());
  part('newest').hidden = step === steps.at(-1);
}

function tiles(layout) { // a transparent button over each tile
  const board = part('tiles');
  const seeds = layout ? layout.seeds : [];
  if (board.dataset.seeds === JSON.stringify(layout)) return;
  board.dataset.seeds = JSON.stringify(layout);
  if (layout) {
    board.style.gridTemplateColumns = `repeat(${layout.columns}, 1fr)`;
    const side = (tiles) => tiles * (layout.tile_px + layout.gap_px) - layout.gap_px;
    // A translator's grid has no seeds: its picture alone says how high it is.
    board.parentElement.style.aspectRatio = !seeds.length ? ''
      : `${side(layout.columns)} / ${side(Math.ceil(seeds.length / layout.columns))}`;
  }
  board.replaceChildren(...seeds.map((seed, at) => {
    const label = layout.labels ? layout.labels[at] : null;
    const button = document.createElement('button');
    button.type = 'button';
    button.dataset.seed = seed;
    button.title = now.words.tile.replace('%', seed);
    if (label !== null) {
      button.dataset.label = label;
      button.title += `, ${now.labels?.[label] ?? label}`;
    }
    button.setAttribute('aria-label', button.title);
    return button;
  }));
}

const SVG = 'http://www.w3.org/2000/svg';

function draw(tag, attributes, text) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

const short = (number) => Math.abs(number) >= 1000 ? `${Math.round(number / 1000)}k`
  : Math.abs(number) >= 10 ? String(Math.round(number)) : number.toFixed(2).replace(/\.?0+$/, '');

function plot(name, rows, keys) { // lines over the steps; the last values stand in the legend
  const host = part(name);
  const [width, height, left, right, top, bottom] = [320, 120, 36, 6, 8, 18];
  const points = rows.filter((row) => keys.some((key) => Number.isFinite(row[key])));
  host.hidden = points.length < 2;
  if (host.hidden) return;
  const values = points.flatMap((row) => keys.map((key) => row[key])).filter(Number.isFinite).sort((a, b) => a - b);
  let low = Math.min(0, values[0]);
  let high = values[Math.floor((values.length - 1) * 0.99)]; // one wild value should not flatten all others
  if (high <= low) high = low + 1;
  const first = points[0].step, last = points.at(-1).step;
  const x = (step) => left + ((width - left - right) * (step - first)) / Math.max(1, last - first);
  const y = (value) => top + (height - top - bottom) * (1 - (Math.min(high, value) - low) / (high - low));
  const svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img' });
  svg.setAttribute('aria-label', `${host.dataset.title}: ${keys.map((key) => short(points.at(-1)[key] ?? 0)).join(', ')}`);
  for (const value of [low, (low + high) / 2, high]) {
    svg.append(draw('line', { x1: left, x2: width - right, y1: y(value), y2: y(value), class: 'rule' }),
      draw('text', { x: left - 5, y: y(value) + 3.5, 'text-anchor': 'end' }, short(value)));
  }
  svg.append(draw('text', { x: left, y: height - 4 }, short(first)),
    draw('text', { x: width - right, y: height - 4, 'text-anchor': 'end' }, `${host.dataset.axis} ${short(last)}`));
  keys.forEach((key, at) => svg.append(draw('polyline', { class: `line line-${at}`, points: points
    .filter((row) => Number.isFinite(row[key])).map((row) => `${x(row.step).toFixed(1)},${y(row[key]).toFixed(1)}`).join(' ') })));
  host.querySelector('svg')?.remove();
  host.append(svg);
}

// What helps, one button each; only who may steer is sent any.
function remedies(offered) {
  const host = part('remedies');
  const now = JSON.stringify(offered);
  host.hidden = !offered.length;
  if (host.dataset.offered === now) return;
  host.dataset.offered = now;
  host.replaceChildren(...offered.map(({ code, title, sentence }) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'gp';
    button.dataset.remedy = code;
    button.textContent = title;
    button.title = sentence;
    return button;
  }));
}

// Each tile of a grid beside the training pictures that are nearest to it: made when it is unfolded.
function pairs() {
  const { run, copy, layout, words } = now;
  const host = part('pairs');
  part('copied').textContent = copy.sentence;
  const key = `${run} ${copy.step}`;
  if (!part('copy').open || !layout || host.dataset.key === key) return;
  host.dataset.key = key;
  const grid = new Image();
  const tile = (seed, at) => {
    const canvas = document.createElement('canvas');
    canvas.width = canvas.height = layout.tile_px;
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', words.tile.replace('%', seed));
    const step = layout.tile_px + layout.gap_px;
    const [x, y] = [(at % layout.columns) * step, Math.floor(at / layout.columns) * step];
    grid.addEventListener('load', () => canvas.getContext('2d')
      .drawImage(grid, x, y, layout.tile_px, layout.tile_px, 0, 0, layout.tile_px, layout.tile_px));
    return canvas;
  };
  host.replaceChildren(...copy.tiles.map(({ at, seed, near, copied }) => {
    const figure = document.createElement('figure');
    const caption = document.createElement('figcaption');
    caption.textContent = (copied ? words.copied : words.tile).replace('%', seed);
    const nearest = near.map((index) => {
      const image = document.createElement('img');
      image.src = `gradio_api/run/${run}/picture/${index}.webp?key=${copy.key}`;
      image.alt = words.yours.replace('%', (index + 1).toLocaleString());
      image.title = image.alt;
      image.loading = 'lazy';
      return image;
    });
    figure.classList.toggle('copied', copied);
    figure.append(tile(seed, at), ...nearest, caption);
    return figure;
  }));
  grid.src = address(run, copy.step);
}

function update() {
  if (!now || !now.run) {
    shown = { run: '', step: -1, follow: true };
    return;
  }
  if (now.run !== shown.run) shown = { run: '', step: -1, follow: true };
  for (const name of ['name', 'state', 'sentence', 'numbers', 'score', 'verdict', 'facts']) {
    part(name).textContent = now[name] || '';
    part(name).hidden = !now[name];
  }
  part('state').dataset.state = now.code;
  remedies(now.remedies);
  part('copy').hidden = !now.copy;
  if (now.copy) pairs();
  const bar = part('bar');
  bar.hidden = now.percent === null;
  bar.value = (now.percent || 0) / 100;
  part('waiting').textContent = now.waiting;
  slider.max = Math.max(0, now.steps.length - 1);
  tiles(now.layout);
  if (shown.follow || !now.steps.includes(shown.step)) {
    slider.value = slider.max;
    shown.follow = true;
    picture(now.run, now.steps.at(-1));
  } else {
    slider.value = now.steps.indexOf(shown.step);
    picture(now.run, shown.step);
  }
  part('watch').dataset.title = now.watch ? now.watch.title : '';
  part('watch').querySelector('figcaption').textContent = part('watch').dataset.title;
  plot('watch', now.stats, now.watch ? [now.watch.key] : []);
  plot('scores', now.stats, ['score']);
  plot('losses', now.stats, ['loss_g', 'loss_d']);
  plot('speed', now.stats, ['images_per_second']);
}

slider.addEventListener('input', () => {
  const at = Number(slider.value);
  shown.follow = at >= Number(slider.max);
  picture(now.run, now.steps[at]);
});

element.addEventListener('click', (event) => {
  if (event.target.closest('.live-newest')) {
    shown.follow = true;
    update();
    return;
  }
  const remedy = event.target.closest('[data-remedy]');
  if (remedy) {
    trigger(remedy.dataset.remedy === 'recipe' ? 'other' : 'remedy', { run: now.run, code: remedy.dataset.remedy });
    return;
  }
  const tile = event.target.closest('[data-seed]');
  if (!tile) return;
  const { seed, label } = tile.dataset;
  trigger('pick', { run: now.run, step: shown.step, seed, label: label || '' });
});

part('tiles').addEventListener('keydown', (event) => {
  const columns = now.layout?.columns || 1;
  const move = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[event.key];
  const all = [...part('tiles').children];
  const next = all[all.indexOf(event.target) + move];
  if (!move || !next) return;
  event.preventDefault();
  next.focus();
});

part('copy').addEventListener('toggle', () => { if (now.copy) pairs(); });

part('grid').querySelector('img').addEventListener('error', () => { // an old grid that was thinned out
  if (!shown.follow) { shown.follow = true; update(); }
});

watch('value', () => { now = props.value; update(); });
update();

regularly(2, async () => {
  const run = field('run');
  const news = await server.watch([run, now?.run === run ? now.seen : '', field('owner')]);
  if (!news) return;
  if (news.run !== now?.run || news.code !== now.code) { // other controls make sense now, or nothing does any more
    trigger('look', {});
    return;
  }
  now = news;
  update();
}, () => field('run'));
