# Maps a query onto a labelled reference with Seurat, as the Azimuth application does, and times each step.
#
#     OPENBLAS_NUM_THREADS=1 Rscript map_seurat.R REFERENCE.h5 LABELS.tsv QUERY.h5 OUT [exact] [seed=N] [reference=FILE.rds]
#
# REFERENCE.h5, LABELS.tsv and QUERY.h5 are written by to_10x.py; of LABELS.tsv the header says which levels are transferred.
# Instead of REFERENCE.h5 the folder that `sextant reference export --azimuth` wrote, with its index, is a reference that is
# fitted already. `exact` replaces annoy by an exact search; `seed` is that of the genes and cells that SCTransform's first step
# draws (1448145 by default); `reference` keeps the fitted reference for the next run. Writes predictions.tsv, timings.tsv,
# and figures.tsv (genes, anchors, versions) to OUT.
arguments <- commandArgs(trailingOnly = TRUE)
stopifnot(length(arguments) >= 4)
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "azimuth.R"))

option <- function(name, default) {
  given <- grep(paste0("^", name, "="), arguments, value = TRUE)
  if (length(given)) sub("^[a-z]+=", "", given[1]) else default
}
exact <- "exact" %in% arguments
seed <- as.integer(option("seed", "1448145"))
kept <- option("reference", NULL)
out <- arguments[4]
dir.create(out, recursive = TRUE, showWarnings = FALSE)
if (exact) use_exact_neighbors()

timings <- data.frame()
timed <- function(stage, value) {
  gc(verbose = FALSE)
  start <- proc.time()
  force(value)
  spent <- proc.time() - start
  timings <<- rbind(timings, data.frame(stage = stage, wall_s = spent[["elapsed"]],
                                        cpu_s = spent[["user.self"]] + spent[["sys.self"]]))
  value
}

write_tsv <- function(table, file) {
  write.table(table, file.path(out, file), sep = "\t", quote = FALSE, row.names = FALSE)
}

labels <- read.delim(arguments[2], row.names = 1, quote = "", check.names = FALSE, colClasses = "character")
exported <- dir.exists(arguments[1])
if (exported) {
  reference <- timed("reference: load", load_exported(arguments[1]))
} else if (!is.null(kept) && file.exists(kept)) {
  reference <- readRDS(kept)
} else {
  counts <- timed("reference: read", Read10X_h5(arguments[1]))
  reference <- timed("reference: normalize", fit_reference(counts, labels[colnames(counts), , drop = FALSE], seed.use = seed))
  reference <- timed("reference: pca", run_pca(reference))
  reference <- timed("reference: umap", run_umap(reference))
  if (!is.null(kept)) saveRDS(reference, kept, compress = FALSE)
}
# Not kept: the index is a pointer, and differs between the exact and the approximate search.
if (exact || !exported) reference <- timed("reference: neighbors", find_reference_neighbors(reference))
features <- rownames(Loadings(reference[["refDR"]]))

query <- timed("read", load_query(Read10X_h5(arguments[3])))
query <- timed("normalize", residuals_under(query, reference, features))
anchors <- timed("project and find anchors", find_anchors(reference, query))
query <- timed("weights and labels", transfer_labels(anchors, reference, query, names(labels)))
query <- timed("integrate", integrate(anchors, reference, query))
neighbors <- timed("umap neighbors", find_umap_neighbors(reference, query))
umap <- timed("umap", place(neighbors, reference))
mapping_score <- timed("mapping score", score_mapping(anchors, query))

predictions <- data.frame(cell = Cells(query))
for (column in paste0("predicted.", rep(names(labels), each = 2), c("", ".score"))) {
  predictions[[column]] <- query[[column, drop = TRUE]]
}
predictions <- cbind(predictions, mapping.score = mapping_score, UMAP_1 = umap[, 1], UMAP_2 = umap[, 2])
write_tsv(predictions, "predictions.tsv")
write_tsv(timings, "timings.tsv")
pairs <- slot(anchors, "anchors")
packages <- c("Seurat", "SeuratObject", "sctransform", "glmGamPoi", "uwot", "RcppAnnoy")
write_tsv(data.frame(
  name = c("features", "features_found", "anchors", "R", packages, "BLAS"),
  value = c(length(features), nrow(residuals_of(query)), nrow(pairs), as.character(getRversion()),
            vapply(packages, function(name) as.character(packageVersion(name)), ""),
            basename(dirname(normalizePath(extSoftVersion()[["BLAS"]]))))), "figures.tsv")
cat(sprintf("%d reference cells, %d query cells, %d of %d features in the query, %d anchors in %.2f %% of the query cells\n",
            ncol(reference), ncol(query), nrow(residuals_of(query)), length(features), nrow(pairs),
            100 * length(unique(pairs[, 2])) / ncol(query)))
print(timings, row.names = FALSE)
print(colSums(timings[!startsWith(timings$stage, "reference") & timings$stage != "read", -1]))
