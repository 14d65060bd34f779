using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Graph.Nets;
using Onnx;

namespace Dunlin.Optimizer.Tests.Pruning;

/// <summary>A network nobody drew: layers in random order, with shortcuts and concatenations to whatever fits.</summary>
internal static class RandomNet
{
    public static ModelProto Of(int seed)
    {
        var random = new Random(seed);
        var net = new NetBuilder(seed, side: 16);
        var values = new List<string> { net.Conv(NetBuilder.Image, 4 * random.Next(1, 4)) };
        for (var i = random.Next(4, 14); i > 0; i--) values.Add(Layer(net, values, random));
        var x = values[^1];
        x = random.Next(4) switch
        {
            0 => net.Flatten(x),
            1 => net.View(net.Pool("MaxPool", x)),
            2 => net.Mean(x),
            _ => net.Flatten(net.GlobalPool(x)),
        };
        if (random.Next(2) == 0) x = net.Relu(random.Next(2) == 0 ? net.Linear(x, 12) : net.Dense(x, 12));
        return net.Build(random.Next(2) == 0 ? net.Linear(x, 5) : net.Unary("Softmax", net.Dense(x, 5)));
    }

    private static string Layer(NetBuilder net, List<string> values, Random random)
    {
        var x = values[^1];
        var width = 4 * random.Next(1, 5);
        switch (random.Next(20))
        {
            case 0 or 1: return net.Conv(x, width, random.Next(2) * 2 + 1, bias: random.Next(2) == 0);
            case 2: return net.Conv(x, net.Channels(x), group: net.Channels(x));
            case 3: return net.Conv(x, net.Channels(x) * 2, group: net.Channels(x));
            case 4: return net.Conv(x, width, group: net.Channels(x) % 4 == 0 ? 4 : 1);
            case 5: return net.Norm(x);
            case 6: return net.Relu6(x);
            case 7: return net.Silu(x);
            case 8: return net.SqueezeExcite(x, 4, "HardSigmoid");
            case 9: return net.ShapeOf(x)[2] > 4 ? net.Pool("MaxPool", x) : net.HardSwish(x);
            case 10: return net.Add("PRelu", [x, net.Weights("slope", 0.5, net.Channels(x), 1, 1)], net.ShapeOf(x));
            case 11 when net.Channels(x) % 2 == 0: return Swapped(net, x, hasSizes: random.Next(2) == 0);
            case 12: return net.Transpose(net.Silu(net.Transpose(x, 0, 2, 3, 1)), 0, 3, 1, 2);
            case 13 when net.Channels(x) % 2 == 0: return net.Shuffle(x, 2);
            case 14: return net.Concat(net.Conv(net.Slice(x, 1, 0, net.Channels(x) / 2), width, 1), net.Slice(x, 1, -net.Channels(x) / 2, long.MaxValue));
            case 15: return net.Concat([.. Fitting(net, values, _ => true).Take(random.Next(1, 4)), x]);
            case 16: return net.Slice(x, 1, random.Next(2) == 0 ? 0 : -net.Channels(x), net.Channels(x));
            default:
                var same = Fitting(net, values, v => net.Channels(v) == net.Channels(x)).ToList();
                if (same.Count == 0) return net.Binary("Add", net.Conv(x, net.Channels(x)), x);
                return net.Binary(random.Next(3) == 0 ? "Mul" : "Add", x, same[random.Next(same.Count)]);
        }
    }

    // Both halves, in the other order.
    private static string Swapped(NetBuilder net, string x, bool hasSizes)
    {
        var (half, shape) = (net.Channels(x) / 2, net.ShapeOf(x));
        var name = $"halves{net.Graph.Node.Count}";
        string[] sizes = hasSizes ? [net.Constant(Tensors.Of($"{name}.sizes", [half, half], 2))] : [];
        net.Graph.Node.Add(new NodeProto { Name = name, OpType = "Split", Input = { x, sizes }, Output = { $"{name}.0", $"{name}.1" }, Attribute = { Nodes.Int("axis", 1) } });
        return net.Add("Concat", [$"{name}.1", $"{name}.0"], shape, Nodes.Int("axis", 1));
    }

    // Earlier values of the same height.
    private static IEnumerable<string> Fitting(NetBuilder net, List<string> values, Func<string, bool> condition) =>
        values.SkipLast(1).Where(v => net.ShapeOf(v)[2] == net.ShapeOf(values[^1])[2] && condition(v));
}
