using System.Runtime.InteropServices;
using Dunlin.Optimizer.Graph;
using Onnx;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training.Execution;

/// <summary>
/// An ONNX graph run by torch, so that it can be trained: its weights are parameters, its running statistics buffers, both under the
/// names of the graph's constants. It takes any number of images at once, whatever batch the graph declares.
/// </summary>
internal sealed class GraphNetwork : nn.Module<Tensor, Tensor>
{
    private readonly List<TorchStep> _steps = [];
    private readonly Dictionary<string, Tensor> _constants = [];
    private readonly string _input, _output, _logits;
    private readonly long[] _scores;

    /// <param name="graph">Is only read.</param>
    /// <param name="weightType">float32, or bfloat16 for convolutions and linear layers to compute in; the rest keeps float32.</param>
    /// <param name="around">Puts something before and after each node's work.</param>
    /// <exception cref="InvalidDataException">An operator cannot be trained here; the message names the node.</exception>
    public GraphNetwork(ModelGraph graph, ScalarType weightType = ScalarType.Float32, Func<NodeProto, TorchOperation, TorchOperation>? around = null)
        : base("network")
    {
        (_input, _output, _scores) = (graph.Input.Name, graph.Output, graph.Shapes[graph.Output][1..]);
        var last = ModelEnds.Last(graph.Output, graph.Producer);
        LayerWeights = Graph.LayerWeights.Of(graph);
        _logits = last?.OpType is "Softmax" or "LogSoftmax" or "Sigmoid" or "HardSigmoid" ? last.Input[0] : graph.Output;
        foreach (var node in graph.Nodes)
        {
            var operation = TorchOperators.Compile(node, graph, this);
            _steps.Add(new TorchStep(node, [.. node.Input], [.. node.Output], around?.Invoke(node, operation) ?? operation));
            for (var i = 0; i < node.Input.Count; i++)
                if (graph.Constant(node.Input[i]) is { } tensor && Tensors.IsFloat(tensor)) Add(tensor, TrainableWeights.KindOf(graph, node, i), weightType);
        }
    }

    /// <summary>What training changes.</summary>
    public Dictionary<string, Parameter> Weights { get; } = [];

    /// <summary>Of them, filters and matrices; the others are biases, slopes, and what normalization has.</summary>
    public IReadOnlySet<string> LayerWeights { get; }

    /// <summary>Running means and variances of batch normalization, which change as batches pass while training.</summary>
    public Dictionary<string, Tensor> Statistics { get; } = [];

    /// <summary>The weight of a new batch in <see cref="Statistics"/>, 0…1.</summary>
    public double NormMomentum { get; set; } = 0.1;

    /// <summary>What the graph's output is.</summary>
    /// <exception cref="InvalidDataException">Torch cannot compute a node; the message names it.</exception>
    public override Tensor forward(Tensor input) => Run(input, _output);

    /// <summary>The scores before a softmax or sigmoid at the graph's end, if there is one, in the shape of the graph's output.</summary>
    public Tensor Logits(Tensor input)
    {
        using var logits = Run(input, _logits);
        return logits.reshape([logits.shape[0], .. _scores]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            foreach (var tensor in _constants.Values) tensor.Dispose();
        base.Dispose(disposing);
    }

    private Tensor Run(Tensor input, string wanted)
    {
        using var scope = NewDisposeScope();
        var values = new Dictionary<string, Tensor>(_constants) { [_input] = input };
        foreach (var step in _steps)
        {
            var outputs = step.Compute(values);
            for (var i = 0; i < outputs.Length; i++) values[step.Outputs[i]] = outputs[i];
            if (values.TryGetValue(wanted, out var result)) return result.MoveToOuterDisposeScope();
        }

        throw new InvalidOperationException($"Nothing computed '{wanted}'.");
    }

    private void Add(TensorProto constant, WeightKind kind, ScalarType weightType)
    {
        if (_constants.ContainsKey(constant.Name)) return;
        var values = tensor(Tensors.Floats(constant), [.. constant.Dims]);
        switch (kind)
        {
            case WeightKind.Layer or WeightKind.Scale:
                var parameter = new Parameter(kind == WeightKind.Layer ? values.to(weightType) : values);
                register_parameter($"weight{Weights.Count}", parameter);
                Weights.Add(constant.Name, parameter);
                values = parameter;
                break;
            case WeightKind.Statistic:
                register_buffer($"statistic{Statistics.Count}", values);
                Statistics.Add(constant.Name, values);
                break;
            case WeightKind.Constant:
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(kind), kind, "not a kind of weight");
        }

        _constants.Add(constant.Name, values.DetachFromDisposeScope());
    }

    private sealed record TorchStep(NodeProto Node, string[] Inputs, string[] Outputs, TorchOperation Operation)
    {
        public Tensor[] Compute(Dictionary<string, Tensor> values)
        {
            try
            {
                return Operation([.. Inputs.Select(i => values.GetValueOrDefault(i)!)]);
            }
            catch (ExternalException error) when (TorchFailure.IsOfTheGraph(error))
            {
                throw TorchOperators.Unsupported(Node, $"torch says: {TorchFailure.Reason(error)}");
            }
        }
    }
}
