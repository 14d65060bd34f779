using Dunlin.Contracts.Manifests;
using Dunlin.Optimizer.Data;
using Dunlin.Optimizer.Graph;
using Dunlin.Optimizer.Tests.Data;
using Dunlin.Optimizer.Tests.Evaluation;
using Dunlin.Optimizer.Tests.Graph;
using Dunlin.Optimizer.Training;

namespace Dunlin.Optimizer.Tests.Training;

public sealed class TeacherLogitsTests : IDisposable
{
    private static readonly TrainingOptions Options = new() { ViewCount = 2 };
    private readonly string _folder = Directory.CreateTempSubdirectory("dunlin-teacher").FullName;
    private readonly PixelSet _images = Stripes.Pixels(12);
    private readonly OnnxTeacher _teacher;

    public TeacherLogitsTests() => _teacher = Teacher(Stripes.Side);

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void EachViewIsComputedOnceAndAlsoAfterAnInterruptionNotAgain()
    {
        float[] first, second;
        using (var logits = Logits())
        {
            first = logits.Of([3, 7, 1], 0, Stop);
            second = logits.Of([3, 7, 1], 1, Stop);
            Assert.Equal(first, logits.Of([3, 7, 1], 0, Stop));
            Assert.Equal(6, logits.ComputedCount);
        }

        using var again = Logits();
        Assert.Equal(second[3..6], again.Of([7], 1, Stop));
        Assert.Equal(0, again.ComputedCount);
        Assert.Equal(first[..3], again.Of([3, 4], 0, Stop)[..3]);
        Assert.Equal(1, again.ComputedCount);
    }

    [Fact]
    public void TwoStudentsAtOnceHaveTheSameAnswers()
    {
        using var first = Logits();
        using var second = Logits();
        var answers = first.Of([1, 2, 3], 0, Stop);
        Assert.Equal(answers, second.Of([1, 2, 3], 0, Stop));
        Assert.Equal(0, second.ComputedCount);
    }

    [Fact]
    public void TheTeacherSeesTheViewThatTheStudentSees()
    {
        using var logits = Logits();
        var (tensor, expected) = (new float[_images.Size], new float[3]);
        new Augmentation(_images, Options.Augmentations, Options.Seed).Write(5, 1, tensor);
        _teacher.Answer(tensor, expected);
        Assert.Equal(expected, logits.Of([5], 1, Stop));
    }

    [Fact]
    public void AnswersForAnythingElseAndDamagedOnesAreComputedAnew()
    {
        float[] answer;
        using (var logits = Logits()) answer = logits.Of([2], 0, Stop);
        foreach (var options in new[] { Options with { Seed = 2 }, Options with { Augmentations = Augmentations.Flip } })
        {
            using var other = new TeacherLogits(_teacher, _images, options, 2, _folder);
            other.Of([2], 0, Stop);
            Assert.Equal(1, other.ComputedCount);
        }

        foreach (var file in Directory.GetFiles(_folder, "teacher-*.logits"))
        {
            var bytes = File.ReadAllBytes(file);
            bytes[^1] ^= 1;
            File.WriteAllBytes(file, bytes);
        }

        using var mended = Logits();
        Assert.Equal(answer, mended.Of([2], 0, Stop));
        Assert.Equal(1, mended.ComputedCount);
    }

    [Fact]
    public void ATeacherOfAnotherSizeSeesTheSameViewInItsOwn()
    {
        using var teacher = Teacher(56);
        Assert.False(_images.Fits(teacher.Input));
        using var large = PixelSet.Read(Stripes.Samples(12), Stripes.Classes, teacher.Input, unreadableShare: 0, Stop);
        using var logits = new TeacherLogits(teacher, large, Options, 2, folder: null);
        Assert.Equal(6, logits.Of([1, 2], 0, Stop).Length);

        var change = ViewChange.Of(Augmentations.All, Options.Seed, 1, 0);
        Assert.InRange(change.Columns(56) - 3 * change.Columns(28), -2, 2);
        float[] small = new float[_images.Size], enlarged = new float[large.Size];
        new Augmentation(_images, Augmentations.Flip, 1).Write(0, 3, small);
        new Augmentation(large, Augmentations.Flip, 1).Write(0, 3, enlarged);
        // One pixel in the middle of four stands for it.
        var means = Enumerable.Range(0, 28 * 28).Select(i => new[] { 0, 1, 56, 57 }.Average(o => enlarged[i / 28 * 112 + i % 28 * 2 + o]));
        Assert.True(small.Zip(means).Average(p => Math.Abs(p.First - p.Second)) < 0.2);
    }

    [Fact]
    public void AFolderForAnswersThatIsNotThereIsMade()
    {
        var folder = Path.Combine(_folder, "new", "folder");
        using (new TeacherLogits(_teacher, _images, Options, threadCount: 1, folder)) Assert.Single(Directory.GetFiles(folder, "teacher-*.logits"));
    }

    [Fact]
    public void ATeacherThatLeavesItsSizeOpenTakesTheStudents()
    {
        var model = ModelFile.Load(Path.Combine(_folder, $"teacher{Stripes.Side}.onnx"));
        foreach (var axis in new[] { 2, 3 }) model.Graph.Input[0].Type.TensorType.Shape.Dim[axis].DimParam = "side";
        ModelFile.Save(model, Path.Combine(_folder, "open.onnx"));
        using var teacher = new OnnxTeacher(Path.Combine(_folder, "open.onnx"), TeacherInput, classCount: 3, Stripes.Input);
        var (image, expected, actual) = (new float[_images.Size], new float[3], new float[3]);
        _images.WriteTensor(4, image);
        _teacher.Answer(image, expected);
        teacher.Answer(image, actual);
        Assert.All(expected.Zip(actual), p => Assert.Equal(p.First, p.Second, 1e-4f));
        Assert.True(_images.Fits(teacher.Input));
    }

    [Fact]
    public void ATeacherThatLeavesItsSizeOpenKeepsItsLayout()
    {
        var model = ColourNet.Make(ColourNet.Right, open: true);
        var shape = model.Graph.Input[0].Type.TensorType.Shape.Dim;
        (shape[1], shape[3]) = (shape[3], shape[1]);
        model.Graph.Node.Insert(0, Nodes.Make("Transpose", ["image"], "first", Nodes.Ints("perm", 0, 3, 1, 2)));
        model.Graph.Node[1].Input[0] = "first";
        ModelFile.Save(model, Path.Combine(_folder, "last.onnx"));
        var student = Stripes.Input with { Channels = ChannelOrder.Rgb, Mean = [0, 0, 0], Scale = [1, 1, 1], Height = 20 };
        using var teacher = new OnnxTeacher(Path.Combine(_folder, "last.onnx"), new InputOptions(null, null, null, FitMode.Stretch, null), classCount: 3, student);
        Assert.Equal((TensorLayout.Nhwc, 20, Stripes.Side), (teacher.Input.Layout, teacher.Input.Height, teacher.Input.Width));
    }

    [Fact]
    public void ATeacherThatDoesNotSayHowItTakesImagesTakesThemAsItsStudent()
    {
        var path = Path.Combine(_folder, $"teacher{Stripes.Side}.onnx");
        var nothing = new InputOptions(null, null, null, null, null);
        using (var teacher = new OnnxTeacher(path, nothing, classCount: 3, Stripes.Input)) Assert.True(teacher.Input.IsLike(Stripes.Input) && teacher.IsGivenTheStudents);

        var marked = ModelFile.Load(path);
        InputMark.Write(marked, Stripes.Input with { Mean = [7] });
        ModelFile.Save(marked, path);
        using (var teacher = new OnnxTeacher(path, nothing, classCount: 3, Stripes.Input)) Assert.True(teacher.Input.Mean is [7] && !teacher.IsGivenTheStudents);
    }

    public void Dispose()
    {
        _teacher.Dispose();
        _images.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private TeacherLogits Logits() => new(_teacher, _images, Options, threadCount: 2, _folder);

    private OnnxTeacher Teacher(int side)
    {
        var path = Path.Combine(_folder, $"teacher{side}.onnx");
        ModelFile.Save(FoldedResidual.Make(new ResidualSpec([4, 8], [1, 1], StemStride: 2, ClassCount: 3), side), path);
        return new OnnxTeacher(path, TeacherInput, classCount: 3);
    }

    private static InputOptions TeacherInput => new(Channels: null, Stripes.Input.Mean, [100], FitMode.Stretch, CropFraction: null);
}
