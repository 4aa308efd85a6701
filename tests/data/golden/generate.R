# Seurat's value at every step of mapping the query of this folder onto its reference.
#
#     OPENBLAS_NUM_THREADS=1 Rscript generate.R          (in this folder; half a minute)
#
# Reads reference_* and query_* (written by select_cells.py), writes the files that README.md lists. The steps are
# those of ../../peers/azimuth.R; only the neighbour search is exact.
source(file.path("..", "..", "peers", "azimuth.R"))
use_exact_neighbors()

FEATURES <- 2000       # variable features; Azimuth's references have 3,000, this keeps the files small
RESIDUAL_CELLS <- 20   # query cells whose residuals are written

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

build_reference <- function(counts, cells) {
  reference <- run_pca(fit_reference(counts, cells, variable.features.n = FEATURES))
  pca <- reference[["refDR"]]
  reference[["refDR"]] <- CreateDimReducObject(
    embeddings = to_f32(Embeddings(pca)), loadings = to_f32(Loadings(pca)), stdev = Stdev(pca),
    key = "PC_", assay = "refAssay")
  find_reference_neighbors(run_umap(reference))
}

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

# Position before the optimisation: that of no epoch.
start_of <- function(neighbors, reference) {
  model <- Misc(reference[["refUMAP"]], slot = "model")
  model$n_neighbors <- ncol(Indices(neighbors))
  model$num_precomputed_nns <- 1
  uwot::umap_transform(NULL, model, n_epochs = 0, n_threads = 1,
                       nn_method = list(idx = Indices(neighbors), dist = Distances(neighbors)))
}

write_placement <- function(reference, query) {
  neighbors <- find_umap_neighbors(reference, query)
  write_part <- function(table, file, column, digits) {
    dimnames(table) <- list(Cells(query), paste0(column, seq_len(ncol(table))))
    write_table(table, file, "cell", digits)
  }
  write_part(Indices(neighbors) - 1, "umap_neighbors", "neighbor_", 12)
  write_part(Distances(neighbors), "umap_distances", "neighbor_", 12)
  write_part(start_of(neighbors, reference), "umap_start", "UMAP_", 9)
  write_part(place(neighbors, reference), "umap_final", "UMAP_", 9)
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
  table$mapping.score <- mapping_score
  write_table(table, "predictions", "cell")
}

# Genes that are named after surface proteins stand in for antibodies: a count is a count.
surface_counts <- function(counts) counts[grep("^CD[0-9]+[A-Z]*$", rownames(counts)), ]

write_proteins <- function(counts, anchors) {
  tags <- NormalizeData(CreateAssayObject(counts), normalization.method = "CLR", margin = 2, verbose = FALSE)
  normalised <- to_f32(as.matrix(GetAssayData(tags, slot = "data")))
  write_table(t(normalised), "reference_proteins", "cell", digits = 9)
  imputed <- TransferData(anchors, refdata = normalised, dims = DIMENSIONS, n.trees = TREES, k.weight = 50,
                          verbose = FALSE)
  write_table(t(as.matrix(GetAssayData(imputed, slot = "data"))), "query_proteins", "cell")
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
write_table(residual_columns(residuals_of(query)), "query_residuals", "gene")

# The same under a model of version 2 (Poisson genes, a floor under the variance); residuals only.
v2 <- fit_reference(input$counts, input$cells, variable.features.n = FEATURES, vst.flavor = "v2")
write_model(model_of(v2), VariableFeatures(v2), "reference_model_v2")
v2_query <- residuals_under(load_query(query_counts), v2, VariableFeatures(v2))
write_table(residual_columns(residuals_of(v2_query)), "query_residuals_v2", "gene")

anchors <- find_anchors(reference, query)
write_table(merged_embedding(anchors, "pcaproject", "query"), "query_projected", "cell")

levels <- names(input$cells)
query <- transfer_labels(anchors, reference, query, levels)
write_anchors(anchors, weights_of(query))
write_proteins(surface_counts(input$counts), anchors)
query <- integrate(anchors, reference, query)
write_table(Embeddings(query[["integrated_dr"]]), "query_integrated", "cell")
write_placement(reference, query)
write_predictions(query, levels, score_mapping(anchors, query))
write_parameters(reference, query, anchors, v2)
