using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Training.Execution;
using TorchSharp.Modules;
using static TorchSharp.torch;

namespace Dunlin.Optimizer.Training;

/// <summary>
/// float32 copies of a network's parameters, stepped by stochastic gradient descent with Nesterov momentum and written
/// back rounded, since a small step on a bfloat16 number is lost.
/// </summary>
internal sealed class MasterWeights : IDisposable
{
    private readonly List<Entry> _entries = [];
    private readonly GraphNetwork _network;

    public MasterWeights(GraphNetwork network)
    {
        _network = network;
        foreach (var (name, parameter) in network.Weights)
        {
            using var detached = parameter.detach();
            var master = detached.to(ScalarType.Float32, copy: true);
            // Decay of normalization and biases would only rescale the network, and of slopes make a PRelu a Relu.
            _entries.Add(new Entry(name, parameter, master, zeros_like(master), network.LayerWeights.Contains(name)));
        }
    }

    /// <summary>One step along the gradients, which are then forgotten.</summary>
    public void Step(double rate, TrainingOptions options)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var entry in _entries)
        {
            if (entry.Parameter.grad is not { } raw) continue;
            var gradient = raw.to(ScalarType.Float32);
            if (entry.Decays) gradient = gradient.add(entry.Master, Scalars.Of(options.WeightDecay));
            entry.Velocity.mul_(Scalars.Of(options.Momentum)).add_(gradient, Scalars.Of(1));
            entry.Master.add_(gradient.add_(entry.Velocity, Scalars.Of(options.Momentum)), Scalars.Of(-rate));
            entry.Parameter.copy_(entry.Master);
        }

        _network.zero_grad();
    }

    /// <summary>Parameters and running statistics, as float32, by the names of the graph's constants.</summary>
    public Weights Read()
    {
        var weights = new Weights();
        foreach (var entry in _entries) weights[entry.Name] = (entry.Master.shape, Values(entry.Master));
        foreach (var (name, statistic) in _network.Statistics) weights[name] = (statistic.shape, Values(statistic));
        return weights;
    }

    public Weights ReadVelocity()
    {
        var velocity = new Weights();
        foreach (var entry in _entries) velocity[entry.Name] = (entry.Velocity.shape, Values(entry.Velocity));
        return velocity;
    }

    /// <summary>Sets parameters and running statistics, and the momentum if there is one.</summary>
    public void Write(Weights weights, Weights? velocity)
    {
        using var scope = NewDisposeScope();
        using var _ = no_grad();
        foreach (var entry in _entries)
        {
            entry.Master.copy_(tensor(weights[entry.Name].Values).reshape(entry.Master.shape));
            entry.Parameter.copy_(entry.Master);
            if (velocity is not null) entry.Velocity.copy_(tensor(velocity[entry.Name].Values).reshape(entry.Master.shape));
        }

        foreach (var (name, statistic) in _network.Statistics) statistic.copy_(tensor(weights[name].Values));
    }

    /// <summary>Puts weights into the graph that they came from.</summary>
    public static void WriteTo(ModelGraph graph, Weights weights)
    {
        foreach (var name in weights.Names) graph.SetConstant(Tensors.Of(name, weights[name].Values, weights[name].Shape));
    }

    public void Dispose()
    {
        foreach (var entry in _entries)
        {
            entry.Master.Dispose();
            entry.Velocity.Dispose();
        }
    }

    private static float[] Values(Tensor tensor) => tensor.data<float>().ToArray();

    private sealed record Entry(string Name, Parameter Parameter, Tensor Master, Tensor Velocity, bool Decays);
}
