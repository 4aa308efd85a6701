# Seurat's graph, clusters and cluster preservation score.
#
#     OPENBLAS_NUM_THREADS=1 Rscript generate.R          (in this folder; a minute)
#
# Reads ../golden, writes the files that README.md lists. The search for neighbours is exact.
source(file.path("..", "..", "peers", "azimuth.R"))
use_exact_neighbors()
GOLDEN <- file.path("..", "golden")
FEATURES <- 2000 # as ../golden/generate.R

read_golden <- function(name) read.delim(gzfile(file.path(GOLDEN, name)), row.names = 1, quote = "")

read_counts <- function(name) {
  counts <- as(readMM(gzfile(file.path(GOLDEN, paste0(name, "_counts.mtx.gz")))), "CsparseMatrix")
  cells <- read_golden(paste0(name, "_cells.tsv.gz"))
  dimnames(counts) <- list(readLines(gzfile(file.path(GOLDEN, paste0(name, "_genes.txt.gz")))), rownames(cells))
  list(counts = counts, cells = cells)
}

write_table <- function(table, file, key = "cell", digits = 12) {
  numbers <- vapply(table, is.double, TRUE)
  table[numbers] <- lapply(table[numbers], function(x) trimws(formatC(x, digits = digits, format = "g")))
  if (!is.null(key)) table <- cbind(setNames(data.frame(rownames(table)), key), table)
  out <- gzfile(paste0(file, ".tsv.gz"), "w")
  write.table(table, out, sep = "\t", quote = FALSE, row.names = FALSE)
  close(out)
}

to_f32 <- function(x) {
  x[] <- readBin(writeBin(as.vector(x), raw(), size = 4), "double", n = length(x), size = 4)
  x
}

# Every pair of cells with a weight, each once; the diagonal, which is 1, is left out.
write_graph <- function(graph, file) {
  edges <- summary(as(as(graph, "generalMatrix"), "CsparseMatrix"))
  edges <- edges[edges$i < edges$j & edges$x > 0, ]
  edges <- edges[order(edges$i, edges$j), ]
  # The number of shared neighbours says the same in two letters: weight = shared / (40 - shared).
  shared <- round(40 * edges$x / (1 + edges$x))
  stopifnot(max(abs(shared / (40 - shared) - edges$x)) < 1e-12)
  write_table(data.frame(a = edges$i - 1, b = edges$j - 1, shared = as.integer(shared)), file, key = NULL)
}

# Of these clusters, by its definition (a pair counts in both directions, the diagonal does not).
modularity <- function(graph, ids, resolution) {
  diag(graph) <- 0
  degree <- Matrix::rowSums(graph)
  within <- vapply(split(seq_along(ids), ids), function(cells) sum(graph[cells, cells]), 0)
  of_cluster <- vapply(split(degree, ids), sum, 0)
  sum(within) / sum(degree) - resolution * sum((of_cluster / sum(degree))^2)
}

cluster <- function(graph, resolution) {
  found <- FindClusters(graph, resolution = resolution, verbose = FALSE)[[1]]
  as.integer(as.character(found))
}

negative_entropy <- function(neighbors, ids) {
  apply(neighbors, 1, function(cells) {
    share <- table(ids[cells]) / length(cells)
    share <- share[share > 0]
    sum(share * log(share))
  })
}

values <- list()

# ---- the query of ../golden: own components, graph, clusters, preservation --------------------------------------

input <- read_counts("reference")
reference <- run_pca(fit_reference(input$counts, input$cells, variable.features.n = FEATURES))
features <- rownames(Loadings(reference[["refDR"]]))
query <- residuals_under(load_query(read_counts("query")$counts), reference, features)
query <- RunPCA(query, npcs = 50, verbose = FALSE)
own <- Embeddings(query[["pca"]])
write_table(as.data.frame(own), "own_pcs")
own_neighbors <- FindNeighbors(own, k.param = 20, return.neighbor = TRUE, verbose = FALSE)
graph <- FindNeighbors(own, k.param = 20, prune.SNN = 1 / 15, verbose = FALSE)$snn
write_graph(graph, "query_graph")
ids <- cluster(graph, 0.6)
table <- data.frame(cluster = ids, row.names = rownames(own))
table$own <- negative_entropy(Indices(own_neighbors), ids)
integrated <- as.matrix(read_golden("query_integrated.tsv.gz"))
values$clusters <- length(unique(ids))
values$modularity <- modularity(graph, ids, 0.6)
for (dimensions in c(50, 2)) {
  neighbors <- FindNeighbors(integrated[, seq_len(dimensions)], k.param = 20, return.neighbor = TRUE, verbose = FALSE)
  entropy <- negative_entropy(Indices(neighbors), ids)
  table[[paste0("integrated_", dimensions)]] <- entropy
  loss <- median(tapply(table$own, ids, mean) - tapply(entropy, ids, mean))
  values[[paste0("loss_", dimensions)]] <- loss
  values[[paste0("score_", dimensions)]] <- if (loss <= 0) 5 else min(5, max(0, -log2(loss)))
}
write_table(table, "query_clusters")

# ---- all 900 cells: graph and clusters of given components -------------------------------------------------------

both <- list(input$counts, read_counts("query")$counts)
genes <- intersect(rownames(both[[1]]), rownames(both[[2]]))
cells <- CreateSeuratObject(cbind(both[[1]][genes, ], both[[2]][genes, ]))
cells <- FindVariableFeatures(NormalizeData(cells, verbose = FALSE), verbose = FALSE)
pcs <- Embeddings(RunPCA(ScaleData(cells, verbose = FALSE), npcs = 10, verbose = FALSE)[["pca"]])
pcs[] <- as.numeric(formatC(pcs, digits = 5, format = "g")) # what is written is what is used
pcs <- to_f32(pcs)
write_table(as.data.frame(pcs), "both_pcs", digits = 9)
graph <- FindNeighbors(pcs, k.param = 20, prune.SNN = 1 / 15, verbose = FALSE)$snn
write_graph(graph, "both_graph")
table <- data.frame(row.names = rownames(pcs))
for (resolution in c(0.4, 0.8, 1.2)) {
  ids <- cluster(graph, resolution)
  table[[paste0("clusters_", resolution)]] <- ids
  values[[paste0("both_modularity_", resolution)]] <- modularity(graph, ids, resolution)
}
write_table(table, "both_clusters")

version <- function(package) as.character(packageVersion(package))
values <- c(values, R = as.character(getRversion()), Seurat = version("Seurat"), RANN = version("RANN"))
text <- vapply(values, function(v) if (is.numeric(v)) trimws(formatC(v, digits = 17, format = "g")) else v, "")
writeLines(c("name\tvalue", paste(names(text), text, sep = "\t")), "parameters.tsv")
