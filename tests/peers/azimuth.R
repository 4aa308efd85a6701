# The steps of the Azimuth application as calls of Seurat's public functions, with the application's parameters.
# Sourced by map_seurat.R and by ../data/golden/generate.R. Needs Seurat 4.3, sctransform 0.3.5, glmGamPoi, uwot, RANN.
suppressPackageStartupMessages({
  library(Matrix)
  library(Seurat)
})
options(Seurat.warn.umap.uwot = FALSE, warn = 1, future.globals.maxSize = 32e9)

DIMENSIONS <- 1:50
TREES <- 20            # of annoy, in every search of the mapping
ROOT_NEIGHBORS <- 31   # neighbours kept with a reference, the cell itself first

# ---- exact neighbours ----------------------------------------------------------------------------------------

unit_rows <- function(x) {
  norm <- sqrt(rowSums(x^2))
  x / ifelse(norm > 0, norm, 1)
}

# Replaces annoy inside Seurat by an exact search, for the rest of the session: an approximate search cannot be
# compared step by step. Seurat hands an index around and asks whether its pointer is alive, hence the small real one.
use_exact_neighbors <- function() {
  alive <- new(RcppAnnoy::AnnoyEuclidean, 1)
  alive$addItem(0, 0)
  alive$build(1)
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
}

# ---- reference -----------------------------------------------------------------------------------------------

# `...` goes to SCTransform: seed.use, variable.features.n, vst.flavor.
fit_reference <- function(counts, cells, ...) {
  object <- CreateSeuratObject(counts, meta.data = cells)
  suppressWarnings(SCTransform(object, new.assay.name = "refAssay", method = "glmGamPoi", verbose = FALSE, ...))
}

run_pca <- function(reference) {
  RunPCA(reference, assay = "refAssay", npcs = max(DIMENSIONS), reduction.name = "refDR", verbose = FALSE)
}

run_umap <- function(reference) {
  suppressWarnings(RunUMAP(reference, reduction = "refDR", dims = DIMENSIONS, reduction.name = "refUMAP",
                           return.model = TRUE, verbose = FALSE))
}

find_reference_neighbors <- function(reference) {
  FindNeighbors(reference, reduction = "refDR", dims = DIMENSIONS, graph.name = "refdr.annoy.neighbors",
                k.param = ROOT_NEIGHBORS, nn.method = "annoy", annoy.metric = "cosine", cache.index = TRUE,
                return.neighbor = TRUE, l2.norm = FALSE, verbose = FALSE)
}

# What `sextant reference export --azimuth` wrote, with its own neighbours and index (annoy's, of make_annoy_index.R).
# Sets DIMENSIONS to those of the reference.
load_exported <- function(folder) {
  reference <- readRDS(file.path(folder, "ref.Rds"))
  slot(reference, "tools") <- list() # its class is that of a package which is not here
  validObject(reference, complete = TRUE)
  reference[["refdr.annoy.neighbors"]] <- LoadAnnoyIndex(reference[["refdr.annoy.neighbors"]],
                                                         file = file.path(folder, "idx.annoy"))
  DIMENSIONS <<- seq_len(slot(reference[["refdr.annoy.neighbors"]], "alg.info")$ndim)
  reference
}

model_of <- function(reference) slot(reference[["refAssay"]], "SCTModel.list")[[1]]

# ---- query ---------------------------------------------------------------------------------------------------

# Drops the genes and cells without a single count, as the application does when it loads a file, and genes without a name,
# which Seurat refuses.
load_query <- function(counts) CreateSeuratObject(counts[rownames(counts) != "", ], min.cells = 1, min.features = 1)

residuals_under <- function(query, reference, features) {
  suppressWarnings(SCTransform(query, residual.features = features, reference.SCT.model = model_of(reference),
                               method = "glmGamPoi", do.correct.umi = FALSE, do.scale = FALSE, do.center = TRUE,
                               new.assay.name = "refAssay", verbose = FALSE))
}

residuals_of <- function(query) GetAssayData(query[["refAssay"]], slot = "scale.data")

find_anchors <- function(reference, query) {
  features <- intersect(rownames(Loadings(reference[["refDR"]])), rownames(residuals_of(query)))
  suppressWarnings(FindTransferAnchors(
    reference = reference, query = query, k.filter = NA, reference.neighbors = "refdr.annoy.neighbors",
    reference.assay = "refAssay", query.assay = "refAssay", reference.reduction = "refDR",
    normalization.method = "SCT", recompute.residuals = FALSE, features = features, dims = DIMENSIONS,
    n.trees = TREES, mapping.score.k = 100, verbose = FALSE))
}

transfer_labels <- function(anchors, reference, query, levels) {
  TransferData(anchors, reference = reference, query = query, dims = DIMENSIONS, n.trees = TREES, k.weight = 50,
               refdata = as.list(reference[[levels]]), store.weights = TRUE, verbose = FALSE)
}

weights_of <- function(query) Tool(query, slot = "TransferData")$weights.matrix

integrate <- function(anchors, reference, query) {
  IntegrateEmbeddings(anchors, reference = reference, query = query, reductions = "pcaproject",
                      reuse.weights.matrix = TRUE, verbose = FALSE)
}

find_umap_neighbors <- function(reference, query) {
  FindNeighbors(object = Embeddings(reference[["refDR"]])[, DIMENSIONS], query = Embeddings(query[["integrated_dr"]]),
                return.neighbor = TRUE, l2.norm = TRUE, k.param = 20, n.trees = TREES, verbose = FALSE)
}

place <- function(neighbors, reference) {
  Embeddings(suppressWarnings(RunUMAP(neighbors, reduction.model = reference[["refUMAP"]], verbose = FALSE)))
}

# Embedding of one side in the object that FindTransferAnchors merges, under the cells' own names.
merged_embedding <- function(anchors, reduction, side) {
  merged <- slot(anchors, "object.list")[[1]]
  embedding <- Embeddings(merged[[reduction]])[slot(anchors, paste0(side, ".cells")), ]
  rownames(embedding) <- sub(paste0("_", side, "$"), "", rownames(embedding))
  embedding
}

score_mapping <- function(anchors, query) {
  pairs <- slot(anchors, "anchors")
  merged <- slot(anchors, "object.list")[[1]]
  merged <- RenameCells(merged, new.names = sub("_(query|reference)$", "", Cells(merged)))
  merged <- DietSeurat(merged, features = rownames(merged)[1])
  scores <- MappingScore(
    anchors = pairs, combined.object = merged, query.neighbors = slot(anchors, "neighbors")[["query.neighbors"]],
    query.weights = weights_of(query), query.embeddings = merged_embedding(anchors, "pcaproject.l2", "query"),
    ref.embeddings = merged_embedding(anchors, "pcaproject.l2", "reference"), nn.method = "annoy", n.trees = TREES,
    ndim = max(DIMENSIONS), kanchors = min(50, length(unique(pairs[, 1])), length(unique(pairs[, 2]))),
    verbose = FALSE)
  scores[Cells(query)]
}
