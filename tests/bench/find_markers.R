# Times Seurat's FindMarkers for one predicted type against all other cells, every gene tested, as `sextant map` does for
# every type: Rscript find_markers.R QUERY.h5 PREDICTIONS.tsv LEVEL [TYPE]
#
# The type is the largest where none is named. Azimuth's application takes presto instead, which no registry has for R 4.2.
suppressPackageStartupMessages(library(Seurat))
arguments <- commandArgs(trailingOnly = TRUE)
stopifnot(length(arguments) >= 3)
labels <- read.delim(arguments[2], row.names = 1, quote = "", check.names = FALSE)
counts <- Read10X_h5(arguments[1])
query <- CreateSeuratObject(counts[, rownames(labels)])
query <- NormalizeData(query, verbose = FALSE)
Idents(query) <- labels[[paste0("predicted.", arguments[3])]]
type <- if (length(arguments) > 3) arguments[4] else names(sort(table(Idents(query)), decreasing = TRUE))[1]
gc(verbose = FALSE)
spent <- system.time(
  found <- FindMarkers(query, ident.1 = type, test.use = "wilcox", logfc.threshold = 0, min.pct = 0, verbose = FALSE)
)
cat(sprintf("%s, %d of %d cells, %d genes: %.1f s of wall time, %.1f s of CPU; Seurat %s, limma %s\n", type,
            sum(Idents(query) == type), ncol(query), nrow(found), spent[["elapsed"]],
            spent[["user.self"]] + spent[["sys.self"]], packageVersion("Seurat"),
            if (requireNamespace("limma", quietly = TRUE)) "used" else "not there"))
