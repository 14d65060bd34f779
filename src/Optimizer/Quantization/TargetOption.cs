using System.CommandLine;

namespace Dunlin.Optimizer.Quantization;

/// <summary><c>--target</c>: the CPU to quantize for.</summary>
internal static class TargetOption
{
    public static readonly Option<string> Target = Create();

    public static QuantizationTarget Of(ParseResult arguments) => QuantizationTarget.All.Single(t => t.Name == arguments.GetValue(Target));

    private static Option<string> Create()
    {
        var option = new Option<string>("--target") { Description = "The CPU to quantize for; x64-avx2 is for x64 without VNNI. Default: this machine's.", DefaultValueFactory = _ => QuantizationTarget.OfThisMachine.Name };
        option.AcceptOnlyFromAmong([.. QuantizationTarget.All.Select(t => t.Name)]);
        return option;
    }
}
