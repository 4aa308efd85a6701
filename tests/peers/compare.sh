#!/usr/bin/env bash
# Seurat against itself and the truth, on any labelled reference and query: under several seeds of the genes and cells
# that SCTransform's first step draws, with annoy (as the Azimuth application) and with exact neighbours.
#
#   tests/peers/compare.sh REFERENCE.h5ad LEVEL,LEVEL QUERY.h5ad COLUMN VOCABULARY.tsv OUT [SEED…]
#
# COLUMN is that of the truth in the query; VOCABULARY as compare.py wants it. About two minutes a seed for 6,000 cells.
# Needs the R packages of azimuth.R, and a Python ($PYTHON) with anndata, h5py, numpy, pandas and scipy.
set -euo pipefail
[ $# -ge 6 ] || { sed -n 's/^# \{0,1\}//p' "$0" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
reference=$1 levels=$2 query=$3 column=$4 vocabulary=$5 out=$6
shift 6
[ $# -gt 0 ] || set -- 1448145 1 2 3 4
export OPENBLAS_NUM_THREADS=1
mkdir -p "$out"
"$python" "$here/to_10x.py" "$reference" "$out/reference" "$levels"
"$python" "$here/to_10x.py" "$query" "$out/query" "$column"
annoy=() exact=()
for seed; do
  for search in annoy exact; do
    Rscript "$here/map_seurat.R" "$out/reference.h5" "$out/reference.labels.tsv" "$out/query.h5" "$out/$search-$seed" \
      "$search" "seed=$seed" "reference=$out/reference-$seed.rds" >"$out/$search-$seed.log" 2>&1
    echo "$search, seed $seed: $(grep 'anchors in' "$out/$search-$seed.log")"
  done
  annoy+=("$out/annoy-$seed/predictions.tsv") exact+=("$out/exact-$seed/predictions.tsv")
done
truth=(--truth "$out/query.labels.tsv" --column "$column" --vocabulary "$vocabulary")
"$python" "$here/compare.py" "${annoy[@]}" "${truth[@]}"
"$python" "$here/compare.py" "${exact[@]}" "${truth[@]}"
