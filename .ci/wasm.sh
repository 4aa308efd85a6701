# Sourced by .ci/build and .ci/wasm-single: what cargo has to know for WebAssembly. In the environment and not in
# .cargo/config.toml, so that native builds never see it.

# wasm_environment threads|single
wasm_environment() {
  local root=$1 build=$2 cargo_home=${CARGO_HOME:-$HOME/.cargo} rust_source flags
  unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET
  rust_source=$(readlink -f "$("$(sed -n "s/^export RUSTC='\([^']*\)'.*/\1/p" "$SEXTANT_TOOLS/wasm/cargo")" --print sysroot)/lib/rustlib/src/rust")
  # Paths stand in panic messages: without these the bytes would depend on where the build ran.
  flags="--remap-path-prefix=$root=/sextant --remap-path-prefix=$cargo_home=/cargo --remap-path-prefix=$rust_source=/rust"
  flags="$flags -Ctarget-feature=+simd128,+bulk-memory,+mutable-globals"
  if [ "$build" = threads ]; then
    flags="$flags,+atomics -Clink-arg=--shared-memory -Clink-arg=--import-memory -Clink-arg=--max-memory=4294967296"
    flags="$flags -Clink-arg=--export=__wasm_init_tls -Clink-arg=--export=__tls_size -Clink-arg=--export=__tls_align"
    flags="$flags -Clink-arg=--export=__tls_base -Clink-arg=--export=__heap_base"
  fi
  export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS="$flags"
  export CARGO_UNSTABLE_BUILD_STD=std,panic_abort
  # One folder for each set of flags, or they would build over each other.
  export CARGO_TARGET_DIR="$SEXTANT_TARGET/wasm-$build"
  export PATH="$SEXTANT_TOOLS/wasm:$PATH"
}
