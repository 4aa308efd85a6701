#!/usr/bin/env Rscript
# Writes the small files that tests/formats_r.rs reads: the matrix of ../expected.tsv in everything that R makes of it.
#
# Run it in this folder. Written with R 4.2.2, Matrix 1.5-3, SeuratObject 4.1.3, Seurat 4.3.0, SingleCellExperiment
# 1.20.0 and DelayedArray 0.24.0 (Debian: r-base-core r-cran-matrix r-cran-seurat r-bioc-singlecellexperiment), and the
# commands zstd and xz. The objects of Seurat 2 and 5 are built from classes that are declared here as those versions
# declare them, since only one version can be installed; real ones of 5.4.0 have the same layout.
suppressPackageStartupMessages({
  library(Matrix); library(SeuratObject); library(Seurat); library(SingleCellExperiment); library(DelayedArray)
})
for (package in c("Matrix", "SeuratObject", "Seurat", "SingleCellExperiment", "DelayedArray"))
  cat(package, as.character(packageVersion(package)), "\n")

table <- read.delim("../expected.tsv")
cells <- unique(table$cell)
genes <- paste0("GENE", 0:29)
ids <- sprintf("ENSG%011d", 100000L + 0:29 * 37L)
stopifnot(length(cells) == 40)
counts <- sparseMatrix(i = match(table$gene, genes), j = match(table$cell, cells), x = as.numeric(table$count),
                       dims = c(30, 40), dimnames = list(genes, cells))
dense <- as.matrix(counts)
type <- factor(c(NA, "B", "NK", "T cell")[(0:39 %% 10 != 0) * (1 + 0:39 %% 3) + 1], levels = c("T cell", "B", "NK"))
adt <- as(matrix(as.numeric(1:80 %% 7), 2, dimnames = list(c("CD3", "CD4"), cells)), "dgCMatrix")

# Containers and encodings
saveRDS(counts, "dgc_gzip.rds")
saveRDS(counts, "dgc_bzip2.rds", compress = "bzip2")
saveRDS(counts, "dgc_xz.rds", compress = "xz")
saveRDS(counts, "dgc_plain.rds", compress = FALSE)
saveRDS(counts, "dgc_version2.rds", version = 2)
saveRDS(counts, "dgc_ascii.rds", ascii = TRUE)
local({
  file <- gzfile("dgc_ascii_hex.rds", "wb")
  serialize(counts, file, ascii = NA)
  close(file)
})
writeBin(serialize(counts, NULL, xdr = FALSE), "dgc_native.rds")
local({
  bytes <- serialize(counts, NULL)
  for (part in list(1:500, 501:length(bytes))) {
    file <- gzfile("part.gz", "wb"); writeBin(bytes[part], file); close(file)
    con <- file("dgc_members.rds", if (part[1] == 1) "wb" else "ab")
    writeBin(readBin("part.gz", "raw", 1e6), con); close(con)
  }
  unlink("part.gz")
})
system("zstd -q -f -19 dgc_plain.rds -o dgc_zstd.rds")
system("xz -q -k -c --lzma2=dict=128MiB dgc_plain.rds > bad_dictionary.rds")

# Classes of matrices
saveRDS(as(counts, "TsparseMatrix"), "dgt.rds")
saveRDS(as(counts, "RsparseMatrix"), "dgr.rds")
saveRDS(as(dense, "dgeMatrix"), "dge.rds")
saveRDS(t(counts), "dgc_cells_by_genes.rds")
saveRDS(as(t(counts), "RsparseMatrix"), "dgr_cells_by_genes.rds")
saveRDS(dense, "matrix.rds")
saveRDS(t(dense), "matrix_cells_by_genes.rds")
storage.mode(dense) <- "integer"
saveRDS(dense, "matrix_integer.rds")
saveRDS(as.data.frame(dense), "data_frame.rds")
saveRDS(cbind(gene = genes, as.data.frame(dense, row.names = FALSE)), "data_frame_gene_column.rds")
saveRDS(cbind(as.data.frame(t(dense)), type = type), "data_frame_cells.rds")
rownames(dense) <- genes

# ALTREP: wrapped vectors, compact sequences, deferred strings
wrapped <- counts
wrap <- function(x) .Internal(wrap_meta(x, NA, TRUE))
wrapped@i <- wrap(counts@i); wrapped@p <- wrap(counts@p); wrapped@x <- wrap(counts@x)
wrapped@Dimnames[[1]] <- wrap(genes)
object <- list(rows = 1:70000, reals = as.numeric(1:5), names = as.character(1:9), counts = wrapped)
saveRDS(object, "altrep.rds")

# What has to be passed over: byte code, closures, environments that are referred to, pointers, raw and complex vectors
local({
  environment <- new.env()
  assign("inside", 1:3, environment)
  f <- compiler::cmpfun(function(a, b = ~ x + y) { for (i in 1:3) print(a); if (a > 1) list(quote(a + b)) else b })
  environment(f) <- environment
  f(1)
  object <- list(f, environment, sum, as.raw(1:9), complex(3), quote(a %in% b[1]), expression(a, b + 1), environment,
                 asNamespace("Matrix"), baseenv(), new("externalptr"), counts = counts, environment)
  saveRDS(object, "other_types.rds")
})

# Seurat 4, as it writes it; with a second assay, proteins, and a table of cells of all kinds
seurat <- CreateSeuratObject(counts, project = "test")
seurat <- NormalizeData(seurat, verbose = FALSE)
seurat$type <- type
seurat$flag <- c(TRUE, FALSE, NA, TRUE)[1:40 %% 4 + 1]
seurat$score <- c(NA, 1:39 / 4)
seurat$number <- c(NA, 2:40)
seurat$note <- c(NA, paste("Zell-\u00e9", 2:40))
seurat[["ADT"]] <- CreateAssayObject(adt)
corrected <- counts; corrected@x <- pmin(corrected@x, 50)
seurat[["SCT"]] <- as(CreateAssayObject(corrected), "Assay")
DefaultAssay(seurat) <- "SCT"
saveRDS(seurat, "seurat_v4.rds")
only <- CreateSeuratObject(adt, assay = "ADT")
saveRDS(only, "bad_only_proteins.rds")
scaled <- CreateSeuratObject(counts)
scaled <- SetAssayData(NormalizeData(scaled, verbose = FALSE), "counts", new("dgCMatrix"))
saveRDS(scaled, "seurat_v4_only_data.rds")

# Seurat 5: layers without names, and maps of which cells and features they have
setClass("LogMap", contains = "matrix", package = "SeuratObject", where = globalenv())
setClass("Assay5", slots = c(layers = "list", cells = "LogMap", features = "LogMap", default = "integer",
                             assay.orig = "character", meta.data = "data.frame", misc = "list", key = "character"),
         package = "SeuratObject", where = globalenv())
setClass("Seurat", slots = c(assays = "list", meta.data = "data.frame", active.assay = "character",
                             active.ident = "factor", version = "list"), package = "SeuratObject", where = globalenv())
bare <- function(x) { dimnames(x) <- list(NULL, NULL); x }
map <- function(names, layers) {
  marks <- sapply(layers, function(layer) names %in% layer)
  dimnames(marks) <- list(names, names(layers))
  new("LogMap", marks)
}
version5 <- function(layers) {
  assay <- new("Assay5", layers = lapply(layers, bare), cells = map(cells, lapply(layers, colnames)),
               features = map(genes, lapply(layers, rownames)), default = 1L, key = "rna_",
               meta.data = data.frame(ensembl_id = ids))
  new("Seurat", assays = list(RNA = assay), active.assay = "RNA", version = list(package_version("5.4.0")),
      meta.data = data.frame(type = type, number = 40:1, row.names = cells))
}
logs <- counts; logs@x <- log1p(1e4 * logs@x / rep(colSums(counts), diff(counts@p)))
saveRDS(version5(list(counts = counts, data = logs)), "seurat_v5.rds")
# Layers by turns, one of them without the genes that none of its cells has
odd <- counts[, seq(1, 39, 2)]
even <- counts[, seq(2, 40, 2)]; even <- even[rowSums(even) > 0, ]
saveRDS(version5(list(counts.b = even, counts.a = odd)), "seurat_v5_split.rds")
saveRDS(version5(list(counts.1 = counts[, 1:15], counts.2 = counts[, 16:40])), "seurat_v5_merged.rds")
mixed <- version5(list(counts.b = even, counts.a = odd))
mixed@assays$RNA@layers$counts.a <- unname(as.matrix(odd))
saveRDS(mixed, "bad_split_dense.rds")

# Seurat 2
setClass("seurat", slots = c(raw.data = "ANY", data = "ANY", scale.data = "ANY", meta.data = "data.frame",
                             project.name = "character", version = "ANY"), where = globalenv())
saveRDS(new("seurat", raw.data = as(counts, "TsparseMatrix"), data = logs, project.name = "test",
            meta.data = data.frame(type = type, row.names = cells)), "seurat_v2.rds")

# SingleCellExperiment
sce <- SingleCellExperiment(list(logcounts = unname(logs), counts = unname(counts)),
                            rowData = DataFrame(ID = ids, Symbol = genes, Type = "Gene Expression"),
                            colData = DataFrame(type = type, batch = Rle(factor(rep(c("x", "y"), c(15, 25)))),
                                                number = c(NA, 2:40), row.names = cells))
rownames(sce) <- ids
altExp(sce, "ADT") <- SummarizedExperiment(list(counts = adt))
saveRDS(sce, "sce.rds")
saveRDS(SummarizedExperiment(list(counts = counts), rowData = DataFrame(gene_id = ids)), "summarized_experiment.rds")

# Several objects
batch <- "one"; save(counts, batch, file = "one.rda")
second <- counts[, 1:20]
save(second, seurat, file = "two.rda", compress = "xz")
save(counts, file = "ascii.rda", ascii = TRUE)
about <- data.frame(type = type, nCount = as.integer(colSums(counts)), row.names = cells)[40:1, ]
save(about, counts, file = "with_table.rda")
saveRDS(list("Gene Expression" = counts, "Antibody Capture" = adt), "read10x_list.rds")

# What cannot be read
saveRDS(DelayedArray(counts) * 2, "bad_delayed.rds")
saveRDS(as(counts, "lgCMatrix"), "bad_logical.rds")
saveRDS(as(counts, "nMatrix"), "bad_pattern.rds")
saveRDS(crossprod(counts), "bad_symmetric.rds")
saveRDS(unname(counts), "bad_no_names.rds")
saveRDS(letters, "bad_text.rds")
saveRDS(structure(list(1), class = "lm"), "bad_class.rds")
save(batch, file = "bad_objects.rda")
broken <- counts; broken@i[5] <- 77L
saveRDS(broken, "bad_positions.rds")
broken <- counts; broken@p[41] <- 3L
saveRDS(broken, "bad_offsets.rds")
broken <- counts; broken@i <- broken@i[-1]
saveRDS(broken, "bad_lengths.rds")
broken <- as(dense, "dgeMatrix"); broken@x <- broken@x[-1]
saveRDS(broken, "bad_dense_length.rds")
broken <- counts; attr(broken, "x") <- NULL
saveRDS(broken, "bad_no_values.rds")
broken <- counts; broken@Dimnames[[2]] <- cells[-1]
saveRDS(broken, "bad_names.rds")
broken <- as(counts, "TsparseMatrix"); broken@j[7] <- 99L
saveRDS(broken, "bad_cells.rds")
broken <- as(counts, "TsparseMatrix"); broken@Dim[2] <- 2000000000L; broken@Dimnames[2] <- list(NULL)
saveRDS(broken, "bad_far.rds")
broken <- version5(list(counts = counts)); broken@assays$RNA@cells <- new("LogMap", matrix(TRUE, 3, 1))
saveRDS(broken, "bad_layers.rds")
frame <- unclass(as.data.frame(dense)); frame[[3]] <- c(frame[[3]], 5L); class(frame) <- "data.frame"
saveRDS(frame, "bad_columns.rds")

# Columns that are left out, each with its reason; and cells without names
odd <- sce
colData(odd)$list <- I(as.list(1:40))
colData(odd)$matrix <- matrix(1:80, 40)
odd@colData@listData$short <- 1:39
odd@colData@listData$level <- structure(c(5L, rep(1L, 39)), levels = "a", class = "factor")
odd@colData@listData$runs <- local({ runs <- Rle(1:40); runs@lengths <- runs@lengths[-1]; runs })
odd@colData@rownames <- NULL
saveRDS(odd, "odd_columns.rds")
