# Puts the parts of a reference together with the classes and names that the R package symphony gives them.
#   Rscript write.R FOLDER OUT.rds reference|plain|uncorrected
# reference: a tibble of genes, a data frame of cells with a factor, named dimensions, the map of uwot.
# uncorrected: the same without the cache and R.
# plain: a data frame of genes with a factor, a data.table of cells, no names of dimensions, no map, and R in place of the cache.
arguments <- commandArgs(TRUE)
folder <- arguments[1]
plain <- arguments[3] == "plain"
shapes <- read.csv(file.path(folder, "shapes.csv"))
part <- function(name) {
  shape <- shapes[[name]]
  matrix(readBin(file.path(folder, name), "double", prod(shape)), shape[1], shape[2])
}
genes <- read.csv(file.path(folder, "vargenes.csv"), stringsAsFactors = plain)
meta <- read.csv(file.path(folder, "meta.csv"), check.names = FALSE)
reference <- list()
if (plain) {
  reference$meta_data <- data.table::as.data.table(meta)
  reference$vargenes <- genes
} else {
  cells <- meta$cell_id
  rownames(meta) <- cells
  meta$cell_type <- factor(meta$cell_type)
  reference$meta_data <- meta
  reference$vargenes <- tibble::as_tibble(genes)
}
reference$loadings <- part("loadings")
reference$R <- part("R")
reference$Z_orig <- part("Z_orig")
reference$Z_corr <- part("Z_corr")
if (!plain) {
  dimnames(reference$loadings) <- list(genes$symbol, paste0("PC_", seq_len(ncol(reference$loadings))))
  colnames(reference$Z_orig) <- cells
  colnames(reference$Z_corr) <- cells
  sums <- part("C")
  reference$centroids <- t(sums / sqrt(rowSums(sums^2)))
  reference$cache <- list(as.matrix(read.csv(file.path(folder, "Nr.csv"))$Nr), sums)
  set.seed(111)
  model <- uwot::umap(t(reference$Z_corr), n_neighbors = 30, metric = "cosine", min_dist = 0.1, init = "laplacian",
    fast_sgd = FALSE, n_threads = 1, n_sgd_threads = 1, ret_model = TRUE)
  colnames(model$embedding) <- c("UMAP1", "UMAP2")
  reference$umap <- list(embedding = model$embedding)
  reference$save_uwot_path <- "/home/someone/uwot_model"
}
if (arguments[3] == "uncorrected") reference[c("cache", "R")] <- NULL
saveRDS(reference, arguments[2])
