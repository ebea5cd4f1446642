// A map of pictures: small ones at their places, cut from one sheet; larger by the buttons, moved by scrolling.
// Arrow keys go to the nearest picture in their direction. What else a picture shows and does, `look` and `pick` say.
// To be put before a script that uses it.

const ZOOM = 1.5;

function drawMap(host, map, { look, pick, words }) {
  const board = document.createElement('div');
  board.className = 'map-board';
  const buttons = map.shown.map((index, at) => {
    const button = document.createElement('button');
    button.type = 'button';
    button.tabIndex = at ? -1 : 0;
    button.dataset.at = index;
    button.style.left = `${map.x[at] * 100}%`;
    button.style.top = `${map.y[at] * 100}%`;
    button.style.backgroundImage = `url("${map.sheet}")`;
    button.dataset.column = at % map.columns;
    button.dataset.row = Math.floor(at / map.columns);
    return button;
  });
  const rows = Math.ceil(map.shown.length / map.columns);
  board.append(...buttons);
  const scroll = document.createElement('div');
  scroll.className = 'map-scroll';
  scroll.append(board);
  const zoom = document.createElement('div');
  zoom.className = 'map-zoom';
  for (const [sign, label] of [['−', words.smaller], ['+', words.larger]]) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'gp';
    button.textContent = sign;
    button.title = label;
    button.setAttribute('aria-label', label);
    button.addEventListener('click', () => scale(sign === '+' ? ZOOM : 1 / ZOOM));
    zoom.append(button);
  }
  host.replaceChildren(scroll, zoom);
  let factor = 1;

  function scale(by) {
    const before = factor;
    factor = Math.min(ZOOM ** 5, Math.max(1, factor * by));
    const [x, y] = [scroll.scrollLeft + scroll.clientWidth / 2, scroll.scrollTop + scroll.clientHeight / 2];
    board.style.width = board.style.height = `${factor * 100}%`;
    const side = Math.min(map.cell_px, (scroll.clientWidth < 600 ? 18 : 26) * Math.sqrt(factor));
    board.style.setProperty('--side', `${side}px`);
    for (const button of buttons) {
      button.style.backgroundSize = `${map.columns * side}px ${rows * side}px`;
      button.style.backgroundPosition = `${-button.dataset.column * side}px ${-button.dataset.row * side}px`;
    }
    scroll.scrollLeft = (x * factor) / before - scroll.clientWidth / 2;
    scroll.scrollTop = (y * factor) / before - scroll.clientHeight / 2;
  }

  board.addEventListener('click', (event) => {
    const button = event.target.closest('[data-at]');
    if (!button) return;
    for (const other of buttons) other.toggleAttribute('aria-current', other === button);
    pick(Number(button.dataset.at));
  });
  board.addEventListener('keydown', (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    const at = buttons.indexOf(event.target);
    let best = null, least = Infinity;
    buttons.forEach((button, other) => {
      const [x, y] = [map.x[other] - map.x[at], map.y[other] - map.y[at]];
      const ahead = x * way[0] + y * way[1], aside = Math.abs(x * way[1]) + Math.abs(y * way[0]);
      if (other !== at && ahead > 0 && ahead + 2 * aside < least) [best, least] = [button, ahead + 2 * aside];
    });
    if (!best) return;
    buttons[at].tabIndex = -1;
    best.tabIndex = 0;
    best.focus();
  });
  const paint = () => buttons.forEach((button) => look(button, Number(button.dataset.at)));
  new ResizeObserver(() => scroll.clientWidth && scale(1)).observe(scroll); // also when what it lies in is unfolded
  paint();
  return paint;
}
