// What a model doesn't represent: those pictures, the map with them ringed, and of each the nearest seeds.
// The server sends plain data as `props.value`; everything is set from here, as text. `map.js` stands before it.
// Runs with Gradio's `element`, `props`, `trigger` and `watch`.

const root = element.querySelector('.cover');
const part = (name) => root.querySelector(`.cover-${name}`);
let drawn = '';

const address = (index) => `gradio_api/run/${props.value.run}/picture/${index}.webp?key=${props.value.picture_key}`;
const named = (index) => props.value.words.yours.replace('%', (index + 1).toLocaleString());

function large(index) { // one picture, and what comes nearest to it
  const { made, words } = props.value;
  const image = part('large').querySelector('img');
  image.src = address(index);
  image.alt = named(index);
  const seeds = made.near[index] || [];
  const said = seeds.length ? words.near : words.unseen;
  part('large').querySelector('span').textContent = seeds.length && !made.gone.includes(index) ? `${words.covered} ${said}`
    : said;
  part('near').replaceChildren(...seeds.map((seed) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'cover-seed';
    button.dataset.seed = seed;
    button.title = words.seed.replace('%', seed);
    const picture = document.createElement('img');
    picture.src = made.pictures[seed];
    picture.alt = button.title;
    const caption = document.createElement('span');
    caption.textContent = String(seed);
    button.append(picture, caption);
    return button;
  }));
  part('large').hidden = false;
}

function update() {
  const now = props.value;
  root.hidden = !now?.run;
  if (!now?.run) return;
  const { made, words } = now;
  root.querySelector('summary').textContent = words.title;
  part('said').textContent = now.said;
  part('ask').querySelector('button').textContent = made ? words.again : words.do;
  part('ask').querySelector('button').hidden = !now.mine;
  part('ask').querySelector('span').textContent = made ? made.when : '';
  const key = made ? made.key : now.run;
  if (drawn === key) return;
  if (drawn.split(' ')[0] !== now.run) root.open = false;
  drawn = key;
  part('large').hidden = true;
  part('map').replaceChildren();
  part('missing').replaceChildren(...(made ? made.missing : []).map((index) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'mark';
    button.dataset.of = index;
    button.title = named(index);
    button.setAttribute('aria-label', button.title);
    const image = document.createElement('img');
    image.src = address(index);
    image.alt = '';
    image.loading = 'lazy';
    button.append(image);
    return button;
  }));
  if (made?.map) {
    const gone = new Set(made.gone);
    drawMap(part('map'), made.map, {
      words,
      look: (button, index) => {
        button.title = named(index);
        button.setAttribute('aria-label', button.title);
        button.className = gone.has(index) ? 'odd' : made.near[index] ? 'had' : '';
      },
      pick: large,
    });
  }
}

element.addEventListener('click', (event) => {
  const at = (what) => event.target.closest(`[data-${what}]`);
  if (at('of')) {
    large(Number(at('of').dataset.of));
    part('large').scrollIntoView({ behavior: 'smooth', block: 'nearest' });
  } else if (at('seed')) trigger('pick', { run: props.value.run, ...at('seed').dataset });
  else if (at('look')) trigger('look', { run: props.value.run });
});

watch('value', update);
update();
