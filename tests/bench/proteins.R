# What Seurat imputes for the halves that proteins.py wrote: Rscript proteins.R FOLDER
#
# The steps are those of ../peers/azimuth.R. The counts of proteins are normalised as CLR of each cell.
here <- dirname(sub("^--file=", "", grep("^--file=", commandArgs(), value = TRUE)))
source(file.path(here, "..", "peers", "azimuth.R"))
folder <- commandArgs(trailingOnly = TRUE)[1]

read_half <- function(name) {
  counts <- as(readMM(file.path(folder, name, "matrix.mtx")), "CsparseMatrix")
  dimnames(counts) <- lapply(c("genes.txt", "cells.txt"), function(file) readLines(file.path(folder, name, file)))
  counts
}

counts <- read_half("reference")
tags <- as.matrix(read.delim(file.path(folder, "proteins.tsv"), row.names = 1, check.names = FALSE))
tags <- CreateAssayObject(t(tags[colnames(counts), ]))
tags <- NormalizeData(tags, normalization.method = "CLR", margin = 2, verbose = FALSE)
reference <- run_pca(fit_reference(counts, data.frame(half = rep("reference", ncol(counts)), row.names = colnames(counts))))
reference <- find_reference_neighbors(reference)
query <- load_query(read_half("query"))
query <- residuals_under(query, reference, rownames(Loadings(reference[["refDR"]])))
anchors <- find_anchors(reference, query)
imputed <- TransferData(anchors, refdata = as.matrix(GetAssayData(tags, slot = "data")), dims = DIMENSIONS,
                        n.trees = TREES, k.weight = 50, verbose = FALSE)
write.table(cbind(cell = colnames(imputed), as.data.frame(t(as.matrix(GetAssayData(imputed, slot = "data"))), optional = TRUE)),
            file.path(folder, "imputed.tsv"), sep = "\t", quote = FALSE, row.names = FALSE)
