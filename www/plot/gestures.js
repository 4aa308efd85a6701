// Drag, wheel, pinch and keys on a plot, as changes of the camera; or a drag as an outline around points.

const KEY_STEP = 48;
const KEY_ZOOM = 1.25;

/**
 * @param {HTMLElement} surface
 * @param {import('./camera.js').Camera} camera
 * @param {{ onHover: (x: number, y: number) => void, onLeave: () => void, draws: () => boolean, onDraw: object }} hooks in
 *   CSS pixels from the upper left corner. Where it `draws`, a drag is handed to `onDraw`: `begin(place, how)`,
 *   `add(place)`, then `end()` or `drop()`; `place` is x, y and the size of the plot.
 */
export function listen(surface, camera, { onHover, onLeave, draws, onDraw }) {
  const fingers = new Map();
  let drawing = null; // the finger that draws
  const place = (event) => {
    const box = surface.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top, box.width, box.height];
  };

  surface.addEventListener('pointerdown', (event) => {
    if (event.button !== 0) return;
    surface.setPointerCapture(event.pointerId);
    fingers.set(event.pointerId, place(event));
    surface.dataset.dragging = 'true';
    onLeave();
    if (drawing !== null) {
      // A second finger moves the map, which the first one did not mean to draw on.
      drawing = null;
      onDraw.drop();
    } else if (draws() && fingers.size === 1) {
      drawing = event.pointerId;
      onDraw.begin(place(event), event.altKey ? 'remove' : event.shiftKey ? 'add' : 'set');
    }
  });
  surface.addEventListener('pointermove', (event) => {
    const [x, y, width, height] = place(event);
    const before = fingers.get(event.pointerId);
    if (!before) {
      onHover(x, y);
      return;
    }
    if (event.pointerId === drawing) {
      // A browser hands over several moves at once; each may be a corner.
      const moves = event.getCoalescedEvents?.() ?? [];
      for (const move of moves.length > 0 ? moves : [event]) onDraw.add(place(move));
      return;
    }
    const other = [...fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const reach = ([a, b]) => Math.hypot(a - other[0], b - other[1]);
      const middle = [(x + other[0]) / 2 - width / 2, (y + other[1]) / 2 - height / 2];
      camera.pan((x - before[0]) / 2, (y - before[1]) / 2);
      camera.zoomAt(reach([x, y]) / Math.max(1, reach(before)), ...middle);
    } else {
      camera.pan(x - before[0], y - before[1]);
    }
    fingers.set(event.pointerId, [x, y]);
  });
  const end = (event) => {
    fingers.delete(event.pointerId);
    if (event.pointerId === drawing) {
      drawing = null;
      if (event.type === 'pointerup') onDraw.end();
      else onDraw.drop();
    }
    if (fingers.size === 0) delete surface.dataset.dragging;
  };
  surface.addEventListener('pointerup', end);
  surface.addEventListener('pointercancel', end);
  surface.addEventListener('pointerleave', onLeave);
  surface.addEventListener('wheel', (event) => {
    event.preventDefault();
    const [x, y, width, height] = place(event);
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 18 : 1;
    camera.zoomAt(Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) / 300), x - width / 2, y - height / 2);
    onLeave();
  }, { passive: false });
  surface.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = {
      ArrowLeft: () => camera.pan(KEY_STEP, 0),
      ArrowRight: () => camera.pan(-KEY_STEP, 0),
      ArrowUp: () => camera.pan(0, KEY_STEP),
      ArrowDown: () => camera.pan(0, -KEY_STEP),
      '+': () => camera.zoomAt(KEY_ZOOM),
      '=': () => camera.zoomAt(KEY_ZOOM),
      '-': () => camera.zoomAt(1 / KEY_ZOOM),
      0: () => camera.reset(),
    }[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
