#!/usr/bin/env Rscript
# Writes the fixture of the sctransform comparison: a small real dataset and what sctransform makes of it.
#
# usage: Rscript generate.R PBMC3K.h5 OUTPUT_FOLDER
#   PBMC3K.h5   as references/pbmc/recipe.py writes it (10x Genomics pbmc3k, CC BY 4.0)
#
# Made with R 4.2.2, sctransform 0.3.5, glmGamPoi 1.10.2, Seurat 4.3.0 (Debian bookworm).
suppressPackageStartupMessages({ library(Matrix); library(Seurat); library(sctransform) })
arguments <- commandArgs(trailingOnly = TRUE)
stopifnot(length(arguments) == 2)
output <- arguments[2]
dir.create(output, recursive = TRUE, showWarnings = FALSE)

counts <- Read10X_h5(arguments[1])
set.seed(20190923)
counts <- counts[, sort(sample(ncol(counts), 1500))]
# Of sparse genes glmGamPoi 1.10 returns the maximum of the likelihood with or without the Cox-Reid term, as its
# optimiser happens to stop; most genes here are detected in enough cells for the two to be close, the rest is not
# detected in the 5 cells that a gene must have.
detected <- rowSums(counts > 0)
counts <- counts[sort(c(sample(which(detected >= 60), 700), sample(which(detected %in% 3:4), 50))), ]

connection <- gzfile(file.path(output, "counts.mtx.gz"), "w")
writeLines(c("%%MatrixMarket matrix coordinate integer general",
             "% 10x Genomics pbmc3k (CC BY 4.0), 1,500 cells, 750 genes; rows are genes",
             paste(nrow(counts), ncol(counts), length(counts@x))), connection)
entries <- summary(counts)
writeLines(paste(entries$i, entries$j, entries$x), connection)
close(connection)

# Fewer cells and genes than there are, so that both subsamples are real ones.
fit <- vst(counts, method = "glmGamPoi", n_cells = 1200, n_genes = 600, return_gene_attr = TRUE,
           return_cell_attr = TRUE, verbosity = 0)
number <- function(x) formatC(x, digits = 12, format = "g")
write_table <- function(table, name) {
  connection <- gzfile(file.path(output, name), "w")
  write.table(table, connection, sep = "\t", quote = FALSE, row.names = FALSE)
  close(connection)
}
step1 <- fit$model_pars
write_table(data.frame(gene0 = match(rownames(step1), rownames(counts)) - 1, theta = number(step1[, "theta"]),
  intercept = number(step1[, "(Intercept)"]), slope = number(step1[, "log_umi"]),
  outlier = as.integer(fit$model_pars_outliers)), "step1_genes.tsv.gz")
write_table(data.frame(cell0 = match(fit$cells_step1, colnames(counts)) - 1), "step1_cells.tsv.gz")
model <- fit$model_pars_fit
attributes <- fit$gene_attr[rownames(model), ]
write_table(data.frame(gene0 = match(rownames(model), rownames(counts)) - 1, theta = number(model[, "theta"]),
  intercept = number(model[, "(Intercept)"]), slope = number(model[, "log_umi"]),
  residual_mean = number(attributes$residual_mean), residual_variance = number(attributes$residual_variance)),
  "model.tsv.gz")

# Seurat's centred scale.data and PCA of the 200 most variable features: their singular values alone.
residuals <- fit$y[order(-attributes$residual_variance)[1:200], ]
bound <- sqrt(ncol(counts) / 30)
residuals <- pmin(pmax(residuals, -bound), bound)
write_table(data.frame(singular_value = number(svd(residuals - rowMeans(residuals), nu = 0, nv = 0)$d[1:30])),
  "pca.tsv.gz")
