// Points by WebGL 2: one buffer of positions, one of colours, one of the order; a second layer behind.

const VERTEX = `#version 300 es
in vec2 position;
in vec4 color;
uniform vec2 center;
uniform vec2 scale;
uniform float size;
out vec4 paint;
void main() {
  gl_Position = vec4((position - center) * scale, 0.0, 1.0);
  gl_PointSize = size;
  paint = color;
}`;
const FRAGMENT = `#version 300 es
precision highp float;
in vec4 paint;
uniform float size;
out vec4 pixel;
void main() {
  float edge = size * (0.5 - length(gl_PointCoord - 0.5));
  float cover = clamp(edge + 0.25, 0.0, 1.0) * paint.a;
  if (cover <= 0.0) discard;
  pixel = vec4(paint.rgb * cover, cover);
}`;

export class WebGlPoints {
  #gl;
  #program;
  #front;
  #behind = null;
  #behindColor = [0, 0, 0, 0];
  #points = { layout: new Float32Array(), rgba: new Uint8Array(), order: new Uint32Array() };

  /** Throws where WebGL 2 is missing; the caller then draws on a plain canvas. */
  constructor(canvas, redraw) {
    const gl = canvas.getContext('webgl2', { antialias: false, alpha: true, premultipliedAlpha: true, powerPreference: 'low-power' });
    if (!gl) throw new Error('WebGL 2 is not there');
    this.#gl = gl;
    this.#build();
    canvas.addEventListener('webglcontextlost', (event) => event.preventDefault());
    canvas.addEventListener('webglcontextrestored', () => {
      this.#build();
      redraw();
    });
  }

  #build() {
    const gl = this.#gl;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.bindAttribLocation(program, 0, 'position');
    gl.bindAttribLocation(program, 1, 'color');
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) throw new Error(`the shaders were refused: ${gl.getProgramInfoLog(program)}`);
    this.#program = { program, ...Object.fromEntries(['center', 'scale', 'size'].map((name) => [name, gl.getUniformLocation(program, name)])) };
    gl.useProgram(program);
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.enableVertexAttribArray(0);
    this.#front = { layout: gl.createBuffer(), rgba: gl.createBuffer(), order: gl.createBuffer() };
    this.setPoints(this.#points.layout);
    this.setPaint(this.#points);
    if (this.#behind) this.setBehind(this.#behind.layout, this.#behindColor);
  }

  setPoints(layout) {
    this.#points.layout = layout;
    this.#fill(this.#gl.ARRAY_BUFFER, this.#front.layout, layout);
  }

  setPaint({ rgba, order }) {
    Object.assign(this.#points, { rgba, order });
    this.#fill(this.#gl.ARRAY_BUFFER, this.#front.rgba, rgba);
    this.#fill(this.#gl.ELEMENT_ARRAY_BUFFER, this.#front.order, order);
  }

  /** A second set of points in one pale colour, drawn first; null for none. */
  setBehind(layout, color) {
    this.#behindColor = color;
    if (layout === null) this.#behind = null;
    else if (this.#behind?.layout !== layout || !this.#gl.isBuffer(this.#behind.buffer)) {
      this.#behind = { layout, buffer: this.#gl.createBuffer() };
      this.#fill(this.#gl.ARRAY_BUFFER, this.#behind.buffer, layout);
    }
  }

  #fill(target, buffer, data) {
    this.#gl.bindBuffer(target, buffer);
    this.#gl.bufferData(target, data, this.#gl.STATIC_DRAW);
  }

  /** Sizes in device pixels. */
  draw({ center, scale, width, height, ratio, size }) {
    const gl = this.#gl;
    if (gl.isContextLost()) return;
    gl.viewport(0, 0, width, height);
    gl.clearColor(0, 0, 0, 0);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.uniform2f(this.#program.center, center[0], center[1]);
    gl.uniform2f(this.#program.scale, (2 * scale * ratio) / width, (2 * scale * ratio) / height);
    gl.uniform1f(this.#program.size, size * ratio);
    if (this.#behind) {
      this.#positions(this.#behind.buffer);
      gl.disableVertexAttribArray(1);
      gl.vertexAttrib4f(1, ...this.#behindColor.map((value) => value / 255));
      gl.drawArrays(gl.POINTS, 0, this.#behind.layout.length / 2);
    }
    if (this.#points.order.length === 0) return;
    this.#positions(this.#front.layout);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.#front.rgba);
    gl.enableVertexAttribArray(1);
    gl.vertexAttribPointer(1, 4, gl.UNSIGNED_BYTE, true, 0, 0);
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.#front.order);
    gl.drawElements(gl.POINTS, this.#points.order.length, gl.UNSIGNED_INT, 0);
  }

  #positions(buffer) {
    this.#gl.bindBuffer(this.#gl.ARRAY_BUFFER, buffer);
    this.#gl.vertexAttribPointer(0, 2, this.#gl.FLOAT, false, 0, 0);
  }
}
