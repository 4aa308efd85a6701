# Seurat's value at every step of mapping the query of this folder onto its reference.
#
#     OPENBLAS_NUM_THREADS=1 Rscript generate.R          (in this folder; half a minute)
#
# Reads reference_* and query_* (written by select_cells.py), writes the files that README.md lists. It calls the
# public functions of Seurat in the order and with the parameters of the Azimuth application; only the neighbour
# search is changed, from annoy to an exact one, since an approximate search cannot be compared step by step.
# Needs Seurat 4.3 with sctransform 0.3.5, glmGamPoi, uwot and RANN.
suppressPackageStartupMessages({
  library(Matrix)
  library(Seurat)
})
options(Seurat.warn.umap.uwot = FALSE, warn = 1)

DIMENSIONS <- 1:50
FEATURES <- 2000       # variable features; Azimuth's references have 3,000, this keeps the files small
ROOT_NEIGHBORS <- 31   # neighbours kept with a reference, the cell itself first
RESIDUAL_CELLS <- 20   # query cells whose residuals are written

# ---- exact neighbours ----------------------------------------------------------------------------------------

# Seurat hands an index around and asks whether its pointer is alive, hence the small real one.
alive <- new(RcppAnnoy::AnnoyEuclidean, 1)
alive$addItem(0, 0)
alive$build(1)

unit_rows <- function(x) {
  norm <- sqrt(rowSums(x^2))
  x / ifelse(norm > 0, norm, 1)
}

exact_index <- function(data, metric = "euclidean", n.trees = 50) {
  list(.pointer = alive$.pointer, owner = alive, metric = metric,
       points = if (metric == "cosine") unit_rows(data) else data)
}

exact_search <- function(index, query, k, search.k = -1, include.distance = TRUE) {
  if (index$metric == "cosine") query <- unit_rows(query)
  found <- RANN::nn2(index$points, query, k)
  distance <- found$nn.dists
  if (index$metric == "cosine") distance <- distance^2 / 2
  list(nn.idx = found$nn.idx, nn.dists = distance)
}

assignInNamespace("AnnoyBuildIndex", exact_index, "Seurat")
assignInNamespace("AnnoySearch", exact_search, "Seurat")

# ---- files ---------------------------------------------------------------------------------------------------

read_counts <- function(name) {
  counts <- as(readMM(gzfile(paste0(name, "_counts.mtx.gz"))), "CsparseMatrix")
  cells <- read.delim(gzfile(paste0(name, "_cells.tsv.gz")), row.names = 1, quote = "")
  dimnames(counts) <- list(readLines(gzfile(paste0(name, "_genes.txt.gz"))), rownames(cells))
  list(counts = counts, cells = cells)
}

# Rows with their names in front; numbers with that many digits (9 carry an f32, 17 an f64).
write_table <- function(table, file, key, digits = 12) {
  table <- as.data.frame(table, optional = TRUE)
  numbers <- vapply(table, is.numeric, TRUE)
  table[numbers] <- lapply(table[numbers], function(x) trimws(formatC(x, digits = digits, format = "g")))
  if (!is.null(key)) {
    table <- cbind(rownames(table), table)
    names(table)[1] <- key
  }
  out <- gzfile(paste0(file, ".tsv.gz"), "w")
  write.table(table, out, sep = "\t", quote = FALSE, row.names = FALSE)
  close(out)
}

# The engine keeps a reference in f32. Rounding it here, before the mapping, leaves one thing less to differ.
to_f32 <- function(x) {
  x[] <- readBin(writeBin(as.vector(x), raw(), size = 4), "double", n = length(x), size = 4)
  x
}

# ---- reference -----------------------------------------------------------------------------------------------

fit_reference <- function(counts, cells, ...) {
  object <- CreateSeuratObject(counts, meta.data = cells)
  suppressWarnings(SCTransform(object, new.assay.name = "refAssay", method = "glmGamPoi",
                               variable.features.n = FEATURES, verbose = FALSE, ...))
}

build_reference <- function(counts, cells) {
  reference <- fit_reference(counts, cells)
  reference <- RunPCA(reference, assay = "refAssay", npcs = max(DIMENSIONS), reduction.name = "refDR", verbose = FALSE)
  pca <- reference[["refDR"]]
  reference[["refDR"]] <- CreateDimReducObject(
    embeddings = to_f32(Embeddings(pca)), loadings = to_f32(Loadings(pca)), stdev = Stdev(pca),
    key = "PC_", assay = "refAssay")
  reference <- suppressWarnings(RunUMAP(reference, reduction = "refDR", dims = DIMENSIONS,
                                        reduction.name = "refUMAP", return.model = TRUE, verbose = FALSE))
  FindNeighbors(reference, reduction = "refDR", dims = DIMENSIONS, graph.name = "refdr.annoy.neighbors",
                k.param = ROOT_NEIGHBORS, nn.method = "annoy", annoy.metric = "cosine", cache.index = TRUE,
                return.neighbor = TRUE, l2.norm = FALSE, verbose = FALSE)
}

model_of <- function(reference) slot(reference[["refAssay"]], "SCTModel.list")[[1]]

# Every gene that was fitted; `feature` is its row in the loadings, -1 where it has none.
write_model <- function(model, features, file) {
  genes <- slot(model, "feature.attributes")
  columns <- c(theta = "theta", intercept = "(Intercept)", slope = "log_umi", residual_mean = "residual_mean",
               residual_variance = "residual_variance", geometric_mean = "gmean", detection_rate = "detection_rate",
               step1_theta = "step1_theta", step1_intercept = "step1_(Intercept)", step1_slope = "step1_log_umi")
  table <- setNames(genes[, columns], names(columns))
  table$feature <- match(rownames(genes), features, nomatch = 0) - 1
  write_table(table, file, "gene", digits = 17)
}

write_reference <- function(reference) {
  write_model(model_of(reference), rownames(Loadings(reference[["refDR"]])), "reference_model")
  write_table(Loadings(reference[["refDR"]]), "reference_loadings", "gene", digits = 9)
  write_table(Embeddings(reference[["refDR"]]), "reference_pcs", "cell", digits = 9)
  write_table(Embeddings(reference[["refUMAP"]]), "reference_umap", "cell", digits = 9)
  neighbors <- Indices(reference[["refdr.annoy.neighbors"]]) - 1
  dimnames(neighbors) <- list(Cells(reference), paste0("neighbor_", seq_len(ncol(neighbors))))
  write_table(neighbors, "reference_neighbors", "cell")
}

# ---- query ---------------------------------------------------------------------------------------------------

# Drops the genes and cells without a single count, as the application does when it loads a file.
load_query <- function(counts) CreateSeuratObject(counts, min.cells = 1, min.features = 1)

residuals_under <- function(query, reference, features) {
  suppressWarnings(SCTransform(query, residual.features = features, reference.SCT.model = model_of(reference),
                               method = "glmGamPoi", do.correct.umi = FALSE, do.scale = FALSE, do.center = TRUE,
                               new.assay.name = "refAssay", verbose = FALSE))
}

find_anchors <- function(reference, query, features) {
  suppressWarnings(FindTransferAnchors(
    reference = reference, query = query, k.filter = NA, reference.neighbors = "refdr.annoy.neighbors",
    reference.assay = "refAssay", query.assay = "refAssay", reference.reduction = "refDR",
    normalization.method = "SCT", recompute.residuals = FALSE, features = features, dims = DIMENSIONS,
    n.trees = 20, mapping.score.k = 100, verbose = FALSE))
}

# Embedding of one side in the object that FindTransferAnchors merges, under the cells' own names.
merged_embedding <- function(anchors, reduction, side) {
  merged <- slot(anchors, "object.list")[[1]]
  embedding <- Embeddings(merged[[reduction]])[slot(anchors, paste0(side, ".cells")), ]
  rownames(embedding) <- sub(paste0("_", side, "$"), "", rownames(embedding))
  embedding
}

score_mapping <- function(anchors, weights) {
  pairs <- slot(anchors, "anchors")
  merged <- slot(anchors, "object.list")[[1]]
  merged <- RenameCells(merged, new.names = sub("_(query|reference)$", "", Cells(merged)))
  MappingScore(
    anchors = pairs, combined.object = merged, query.neighbors = slot(anchors, "neighbors")[["query.neighbors"]],
    query.weights = weights, query.embeddings = merged_embedding(anchors, "pcaproject.l2", "query"),
    ref.embeddings = merged_embedding(anchors, "pcaproject.l2", "reference"), nn.method = "annoy", n.trees = 20,
    ndim = max(DIMENSIONS), kanchors = min(50, length(unique(pairs[, 1])), length(unique(pairs[, 2]))),
    verbose = FALSE)
}

# Placement on the reference's map: neighbours, start (no epoch) and outcome.
place <- function(reference, query) {
  neighbors <- FindNeighbors(
    object = Embeddings(reference[["refDR"]])[, DIMENSIONS], query = Embeddings(query[["integrated_dr"]]),
    return.neighbor = TRUE, l2.norm = TRUE, k.param = 20, n.trees = 20, verbose = FALSE)
  final <- suppressWarnings(RunUMAP(neighbors, reduction.model = reference[["refUMAP"]], verbose = FALSE))
  model <- Misc(reference[["refUMAP"]], slot = "model")
  model$n_neighbors <- ncol(Indices(neighbors))
  model$num_precomputed_nns <- 1
  start <- uwot::umap_transform(NULL, model, n_epochs = 0, n_threads = 1,
                                nn_method = list(idx = Indices(neighbors), dist = Distances(neighbors)))
  list(index = Indices(neighbors) - 1, distance = Distances(neighbors), start = start, final = Embeddings(final))
}

write_placement <- function(placed, cells) {
  names <- list(index = "neighbor_", distance = "neighbor_", start = "UMAP_", final = "UMAP_")
  files <- c(index = "umap_neighbors", distance = "umap_distances", start = "umap_start", final = "umap_final")
  for (part in names(files)) {
    table <- placed[[part]]
    dimnames(table) <- list(cells, paste0(names[[part]], seq_len(ncol(table))))
    write_table(table, files[[part]], "cell", digits = if (part == "distance") 12 else 9)
  }
}

write_anchors <- function(anchors, weights) {
  pairs <- slot(anchors, "anchors")
  write_table(data.frame(reference = pairs[, 1] - 1, query = pairs[, 2] - 1, score = pairs[, 3]),
              "anchors", NULL, digits = 17)
  entries <- summary(weights)
  write_table(data.frame(anchor = entries$i - 1, query = entries$j - 1, weight = entries$x), "weights", NULL)
}

residual_columns <- function(residuals) {
  residuals[, 1 + ((seq_len(RESIDUAL_CELLS) - 1) * ncol(residuals)) %/% RESIDUAL_CELLS]
}

write_predictions <- function(query, levels, mapping_score) {
  table <- data.frame(row.names = Cells(query))
  for (level in levels) {
    scores <- as.matrix(GetAssayData(query[[paste0("prediction.score.", level)]], slot = "data"))
    write_table(t(scores), paste0("prediction_scores_", level), "cell")
    for (column in paste0("predicted.", level, c("", ".score"))) table[[column]] <- query[[column, drop = TRUE]]
  }
  table$mapping.score <- mapping_score[Cells(query)]
  write_table(table, "predictions", "cell")
}

write_parameters <- function(reference, query, anchors, v2) {
  arguments <- slot(model_of(reference), "arguments")
  umap <- Misc(reference[["refUMAP"]], slot = "model")
  pairs <- slot(anchors, "anchors")
  version <- function(package) as.character(packageVersion(package))
  values <- list(
    clip_low = arguments$sct.clip.range[1], clip_high = arguments$sct.clip.range[2],
    fit_clip_low = arguments$res_clip_range[1], fit_clip_high = arguments$res_clip_range[2],
    min_variance = arguments$min_variance, query_clip = sqrt(ncol(query)),
    v2_clip_low = slot(model_of(v2), "arguments")$sct.clip.range[1],
    v2_clip_high = slot(model_of(v2), "arguments")$sct.clip.range[2],
    v2_min_variance = slot(model_of(v2), "arguments")$min_variance,
    umap_a = umap$a, umap_b = umap$b, umap_gamma = umap$gamma, umap_alpha = umap$alpha,
    umap_negative_sample_rate = umap$negative_sample_rate, umap_n_neighbors = umap$n_neighbors,
    umap_n_epochs = umap$n_epochs, anchors = nrow(pairs), query_cells_in_anchors = length(unique(pairs[, 2])),
    reference_cells_in_anchors = length(unique(pairs[, 1])), R = as.character(getRversion()),
    Seurat = version("Seurat"), sctransform = version("sctransform"), glmGamPoi = version("glmGamPoi"),
    uwot = version("uwot"))
  text <- vapply(values, function(v) if (is.numeric(v)) trimws(formatC(v, digits = 17, format = "g")) else v, "")
  writeLines(c("name\tvalue", paste(names(text), text, sep = "\t")), "parameters.tsv")
}

# ---- the run -------------------------------------------------------------------------------------------------

input <- read_counts("reference")
reference <- build_reference(input$counts, input$cells)
write_reference(reference)
features <- rownames(Loadings(reference[["refDR"]]))

query_counts <- read_counts("query")$counts
query <- load_query(query_counts)
write_table(query[[c("nCount_RNA", "nFeature_RNA")]], "query_totals", "cell")

query <- residuals_under(query, reference, features)
residuals <- GetAssayData(query[["refAssay"]], slot = "scale.data")
write_table(residual_columns(residuals), "query_residuals", "gene")

# The same under a model of version 2 (Poisson genes, a floor under the variance); residuals only.
v2 <- fit_reference(input$counts, input$cells, vst.flavor = "v2")
v2_features <- VariableFeatures(v2)
v2_query <- residuals_under(load_query(query_counts), v2, v2_features)
write_model(model_of(v2), v2_features, "reference_model_v2")
write_table(residual_columns(GetAssayData(v2_query[["refAssay"]], slot = "scale.data")), "query_residuals_v2", "gene")

anchors <- find_anchors(reference, query, intersect(features, rownames(residuals)))
write_table(merged_embedding(anchors, "pcaproject", "query"), "query_projected", "cell")

levels <- names(input$cells)
query <- TransferData(anchors, reference = reference, query = query, dims = DIMENSIONS, n.trees = 20, k.weight = 50,
                      refdata = as.list(reference[[levels]]), store.weights = TRUE, verbose = FALSE)
weights <- Tool(query, slot = "TransferData")$weights.matrix
write_anchors(anchors, weights)

query <- IntegrateEmbeddings(anchors, reference = reference, query = query, reductions = "pcaproject",
                             reuse.weights.matrix = TRUE, verbose = FALSE)
write_table(Embeddings(query[["integrated_dr"]]), "query_integrated", "cell")
write_placement(place(reference, query), Cells(query))
write_predictions(query, levels, score_mapping(anchors, weights))
write_parameters(reference, query, anchors, v2)
