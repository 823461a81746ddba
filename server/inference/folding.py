"""Batch norms folded into the convolutions before them."""

from torch import nn
from torch.fx import GraphModule, symbolic_trace
from torch.nn.utils.fusion import fuse_conv_bn_eval


def fold_batch_norms(network: nn.Module) -> GraphModule:
    """The same function as ``network`` in eval mode, with fewer operations.

    Only a batch norm right behind a convolution whose output nothing else reads is folded, which is exact.
    One that comes before a convolution stays: the zeros that pad the convolution's input are not normalised.
    Parameters are copied, ``network`` is left as it is.
    """
    traced = symbolic_trace(network.eval())
    modules = dict(traced.named_modules())
    for node in list(traced.graph.nodes):
        if node.op != "call_module" or not isinstance(modules[node.target], nn.BatchNorm2d):
            continue
        before = node.args[0]
        if before.op != "call_module" or len(before.users) > 1:
            continue
        convolution = modules[before.target]
        if not isinstance(convolution, nn.Conv2d):
            continue
        traced.set_submodule(before.target, fuse_conv_bn_eval(convolution, modules[node.target]))
        node.replace_all_uses_with(before)
        traced.graph.erase_node(node)
    traced.delete_all_unused_submodules()
    traced.recompile()
    return traced
