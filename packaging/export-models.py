"""Writes torchvision's classifiers, with random weights, as PyTorch exports them: python3 export-models.py FOLDER"""
import sys
import warnings

import torch
import torchvision

NAMES = [
    "alexnet", "convnext_tiny", "densenet121", "efficientnet_b0", "googlenet", "inception_v3", "mnasnet0_5", "mobilenet_v2",
    "mobilenet_v3_small", "regnet_y_400mf", "resnet18", "resnet50", "resnext50_32x4d", "shufflenet_v2_x1_0", "squeezenet1_1",
]
# Each of these once more with its normalization kept, and once with height and width open.
VARIED = ["densenet121", "mobilenet_v3_small", "resnet18"]


def build(name):
    options = {"aux_logits": False, "transform_input": False, "init_weights": True} if name in ("googlenet", "inception_v3") else {}
    model = getattr(torchvision.models, name)(weights=None, **options).eval()
    for module in model.modules():
        # Statistics that matter: those of a new network change nothing.
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.uniform_(-0.1, 0.1)
            module.running_var.uniform_(0.5, 1.5)
    return model


def export(model, path, side, axes, **options):
    names = {"input_names": ["image"], "output_names": ["scores"]}
    torch.onnx.export(model, torch.randn(1, 3, side, side), path, dynamic_axes=axes, **names, **options)


def main(folder):
    warnings.filterwarnings("ignore")
    torch.manual_seed(0)
    batch = {"image": {0: "n"}, "scores": {0: "n"}}
    for name in NAMES:
        model = build(name)
        export(model, f"{folder}/{name}.onnx", 299 if name == "inception_v3" else 224, batch, opset_version=13)
        if name in VARIED:
            export(model, f"{folder}/{name}-unfolded.onnx", 224, None, opset_version=11,
                   training=torch.onnx.TrainingMode.PRESERVE, do_constant_folding=False)
            export(model, f"{folder}/{name}-open.onnx", 224, {"image": {0: "n", 2: "h", 3: "w"}, "scores": {0: "n"}}, opset_version=14)


main(sys.argv[1])
