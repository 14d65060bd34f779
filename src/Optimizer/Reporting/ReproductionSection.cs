namespace Dunlin.Optimizer.Reporting;

/// <summary>How to make it all again.</summary>
internal static class ReproductionSection
{
    public static Section Of(ReportContent content)
    {
        var machine = content.Machine;
        return new Section("To make it again",
        [
            new Code(content.Commands),
            new Paragraph($"Measured on {machine.Cpu}, {machine.Threads} threads, Linux {machine.Kernel}, ONNX Runtime {machine.OnnxRuntime}, {machine.Date:yyyy-MM-dd HH:mm} UTC. Commands are those that the models remember; a model that another program made has none."),
        ]);
    }
}
