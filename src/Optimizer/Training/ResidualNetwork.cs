using TorchSharp;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>The network of a <see cref="ResidualSpec"/> in torch. Its parameters carry the names under which <see cref="Weights"/> keeps them.</summary>
internal sealed class ResidualNetwork : nn.Module<Tensor, Tensor>
{
    private readonly Conv2d _stem;
    private readonly BatchNorm2d _stemNorm;
    private readonly List<Block> _blocks = [];
    private readonly Linear _head;

    public ResidualNetwork(ResidualSpec spec)
        : base("network")
    {
        _stem = Register("stem", Convolution(1, spec.Widths[0], 3, spec.StemStride));
        _stemNorm = Register("stem.norm", nn.BatchNorm2d(spec.Widths[0]));
        foreach (var block in spec.Blocks()) _blocks.Add(new Block(this, block));
        _head = Register("head", nn.Linear(spec.Widths[^1], spec.ClassCount));
    }

    /// <summary>The layers by the names of the graph.</summary>
    public Dictionary<string, nn.Module> Layers { get; } = [];

    public override Tensor forward(Tensor input)
    {
        using var scope = NewDisposeScope();
        var x = _stemNorm.forward(_stem.forward(input)).relu_();
        foreach (var block in _blocks) x = block.Forward(x);
        return _head.forward(x.mean([2, 3])).MoveToOuterDisposeScope();
    }

    /// <summary>Convolutions and the linear layer compute in bfloat16; batch normalization keeps float32.</summary>
    public void UseBFloat16()
    {
        foreach (var layer in Layers.Values)
            if (layer is not BatchNorm2d) layer.to(ScalarType.BFloat16);
    }

    /// <summary>The weight of a new batch in the running statistics of batch normalization, 0…1.</summary>
    public void SetNormMomentum(double momentum)
    {
        foreach (var layer in Layers.Values.OfType<BatchNorm2d>()) layer.momentum = momentum;
    }

    private T Register<T>(string name, T layer)
        where T : nn.Module
    {
        Layers.Add(name, layer);
        register_module(name.Replace('.', '_'), layer);
        return layer;
    }

    private static Conv2d Convolution(int input, int output, int kernel, int stride)
    {
        var convolution = nn.Conv2d(input, output, kernel, stride: stride, padding: kernel / 2, bias: false);
        nn.init.kaiming_normal_(convolution.weight!, mode: nn.init.FanInOut.FanOut, nonlinearity: nn.init.NonlinearityType.ReLU);
        return convolution;
    }

    private sealed class Block
    {
        private readonly Conv2d _first, _second;
        private readonly BatchNorm2d _firstNorm, _secondNorm;
        private readonly Conv2d? _projection;
        private readonly BatchNorm2d? _projectionNorm;

        public Block(ResidualNetwork owner, ResidualBlockSpec spec)
        {
            _first = owner.Register($"{spec.Name}.conv1", Convolution(spec.Input, spec.Output, 3, spec.Stride));
            _firstNorm = owner.Register($"{spec.Name}.conv1.norm", nn.BatchNorm2d(spec.Output));
            _second = owner.Register($"{spec.Name}.conv2", Convolution(spec.Output, spec.Output, 3, 1));
            _secondNorm = owner.Register($"{spec.Name}.conv2.norm", nn.BatchNorm2d(spec.Output));
            if (!spec.HasProjection) return;
            _projection = owner.Register($"{spec.Name}.project", Convolution(spec.Input, spec.Output, 1, spec.Stride));
            _projectionNorm = owner.Register($"{spec.Name}.project.norm", nn.BatchNorm2d(spec.Output));
        }

        public Tensor Forward(Tensor x)
        {
            var y = _firstNorm.forward(_first.forward(x)).relu_();
            y = _secondNorm.forward(_second.forward(y));
            var shortcut = _projection is null ? x : _projectionNorm!.forward(_projection.forward(x));
            return y.add_(shortcut).relu_();
        }
    }
}
