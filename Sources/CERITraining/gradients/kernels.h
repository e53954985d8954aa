// All training kernels of one variant. The including file defines VARIANT (its name as a token), VARIANT_NAME, LANES, ROWS and
// FMA, and surrounds the inclusion with the target attribute its instructions need, as for the runtime's.
#include "f32/vector.h"

#include "f32/functions.h"

#include "f32/images.h"

#include "lanes.h"

#include "elements.h"

#include "dropout.h"

#include "columns.h"

#include "normalisation.h"

#include "maxpool.h"

#include "windows.h"

#include "weights.h"

#include "optimisers.h"

_Static_assert(ERI_PANEL % LANES == 0, "lanes");

const eri_training VARIANT = {
    .name = VARIANT_NAME,
    .activation_gradient = activation_gradient,
    .scaled = scaled,
    .product = product,
    .average = average,
    .dropout = dropout_apply,
    .column_sums = column_sums,
    .column_squares = column_squares,
    .column_products = column_products,
    .square_sum = square_sum,
    .batch_norm_gradient = batch_norm_gradient,
    .layer_norm_gradient = layer_norm_gradient,
    .softmax_gradient = softmax_gradient,
    .weight_norm_gradient = weight_norm_gradient,
    .attention_pool_gradient = attention_pool_gradient,
    .maxpool_gradient = maxpool_gradient,
    .columns_pack = columns_pack,
    .columns_pack_planar = columns_pack_planar,
    .columns_scatter = columns_scatter,
    .conv_reverse_weights = conv_reverse_weights,
    .adam = adam,
    .sgd = sgd,
};
