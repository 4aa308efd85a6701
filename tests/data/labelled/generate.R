# The counts and labels that generate.py left in work/, as an object of Seurat.
suppressPackageStartupMessages({ library(Matrix); library(SeuratObject); library(Seurat) })
cells <- read.delim("work/cells.tsv", row.names = 1, stringsAsFactors = TRUE)
counts <- as(t(as(readMM("work/counts.mtx"), "CsparseMatrix")), "CsparseMatrix")
dimnames(counts) <- list(readLines("work/genes.txt"), rownames(cells))
storage.mode(counts@x) <- "double"
object <- CreateSeuratObject(as(counts, "dgCMatrix"), meta.data = cells)
saveRDS(NormalizeData(object, verbose = FALSE), "seurat.rds", compress = "xz")
