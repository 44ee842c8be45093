<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_US">
<context>
    <name>AssistantController</name>
    <message>
        <source>There is no text yet.</source>
        <translation>还没有文字。</translation>
    </message>
    <message>
        <source>Write or open a document, select a passage, or paste a text.</source>
        <translation>请先写下或打开一篇文档，选中一段，或粘贴文字。</translation>
    </message>
    <message>
        <source>starting</source>
        <translation>准备中</translation>
    </message>
    <message>
        <source>The model added nothing.</source>
        <translation>模型没有写出新内容。</translation>
    </message>
    <message>
        <source>Try again, or write a few more words first.</source>
        <translation>请再试一次，或先多写几个字。</translation>
    </message>
    <message>
        <source>The model found nothing to change.</source>
        <translation>模型没有发现需要改动之处。</translation>
    </message>
    <message>
        <source>The text has changed since this run began, so it was not replaced.</source>
        <translation>生成开始后原文有改动，因此没有替换。</translation>
    </message>
    <message>
        <source>Insert or copy the result, or generate it anew from the text as it is now.</source>
        <translation>可以插入或复制结果，或者按现在的原文重新生成。</translation>
    </message>
    <message>
        <source>{0} more remarks</source>
        <translation>另有 {0} 条说明</translation>
    </message>
</context>
<context>
    <name>AssistantPanel</name>
    <message>
        <source>Assistant</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>Sampling: as the task advises</source>
        <translation>采样：按任务建议</translation>
    </message>
    <message>
        <source>Sampling: chosen below</source>
        <translation>采样：按下方设置</translation>
    </message>
    <message>
        <source>The summary will stand here.</source>
        <translation>摘要会出现在这里。</translation>
    </message>
    <message>
        <source>The translation will stand here.</source>
        <translation>译文会出现在这里。</translation>
    </message>
    <message>
        <source>The rewritten text will stand here.</source>
        <translation>改写后的文本将显示在这里。</translation>
    </message>
    <message>
        <source>Rewritten</source>
        <translation>改写后</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>译文</translation>
    </message>
</context>
<context>
    <name>CaveatNotice</name>
    <message>
        <source>Open a larger model…</source>
        <translation>打开更大的模型…</translation>
    </message>
</context>
<context>
    <name>ComparePane</name>
    <message>
        <source>Source</source>
        <translation>原文</translation>
    </message>
    <message>
        <source>Close the comparison</source>
        <translation>关闭对照</translation>
    </message>
</context>
<context>
    <name>DocumentTabs</name>
    <message>
        <source>{0} is no longer there.</source>
        <translation>{0} 已不存在。</translation>
    </message>
    <message>
        <source>Brought back what was not saved: {0}</source>
        <translation>已找回未保存的内容：{0}</translation>
    </message>
</context>
<context>
    <name>DocumentView</name>
    <message>
        <source>Untitled</source>
        <translation>未命名</translation>
    </message>
    <message>
        <source>Untitled {0}</source>
        <translation>未命名 {0}</translation>
    </message>
</context>
<context>
    <name>ExceptionHook</name>
    <message>
        <source>Something in gptdesk went wrong: {0}.</source>
        <translation>gptdesk 内部出错：{0}。</translation>
    </message>
    <message>
        <source>Your text is safe. Copy the details if you report this.</source>
        <translation>您的文字没有丢失。报告问题时请附上详细信息。</translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export to ONNX</source>
        <translation>导出为 ONNX</translation>
    </message>
    <message>
        <source>Writes “{0}” in 32-bit floats into a new folder. ONNX Runtime opens it without PyTorch, and the text comes out the same.</source>
        <translation>将“{0}”以 32 位浮点数写入新文件夹。ONNX Runtime 无需 PyTorch 即可打开，写出的文字相同。</translation>
    </message>
    <message>
        <source>The adapter “{0}” becomes part of it.</source>
        <translation>适配器“{0}”会合并进去。</translation>
    </message>
    <message>
        <source>Folder of the export</source>
        <translation>导出文件夹</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>选择…</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>导出</translation>
    </message>
    <message>
        <source>Choose where the export goes</source>
        <translation>选择导出位置</translation>
    </message>
    <message>
        <source>The check text came out the same as from the original.</source>
        <translation>校验文字与原模型一致。</translation>
    </message>
    <message>
        <source>The check text differs from the original&apos;s: do not rely on this copy.</source>
        <translation>校验文字与原模型不一致：请勿使用此副本。</translation>
    </message>
    <message>
        <source>{0} written in {1} s.</source>
        <translation>已写入 {0}，用时 {1} 秒。</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Use the export now</source>
        <translation>立即使用导出的模型</translation>
    </message>
</context>
<context>
    <name>FindBar</name>
    <message>
        <source>Find</source>
        <translation>查找</translation>
    </message>
    <message>
        <source>Replace with</source>
        <translation>替换为</translation>
    </message>
    <message>
        <source>Match case</source>
        <translation>区分大小写</translation>
    </message>
    <message>
        <source>Whole words</source>
        <translation>全字匹配</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Replace all</source>
        <translation>全部替换</translation>
    </message>
    <message>
        <source>Find previous</source>
        <translation>查找上一个</translation>
    </message>
    <message>
        <source>Find next</source>
        <translation>查找下一个</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>nothing found</source>
        <translation>未找到</translation>
    </message>
    <message>
        <source>{0} found</source>
        <translation>找到 {0} 处</translation>
    </message>
</context>
<context>
    <name>LossPlot</name>
    <message>
        <source>Loss while the model learns</source>
        <translation>学习过程中的损失</translation>
    </message>
    <message>
        <source>Your text: {0}</source>
        <translation>您的文字：{0}</translation>
    </message>
    <message>
        <source>Pages held back: {0}</source>
        <translation>留出的文字：{0}</translation>
    </message>
    <message>
        <source>The curve begins after the first steps.</source>
        <translation>走过最初几步后，这里会出现曲线。</translation>
    </message>
    <message>
        <source>{0} steps</source>
        <translation>{0} 步</translation>
    </message>
    <message>
        <source>Loss (lower is better)</source>
        <translation>损失（越低越好）</translation>
    </message>
    <message>
        <source>pages held back</source>
        <translation>留出的文字</translation>
    </message>
    <message>
        <source>your text</source>
        <translation>您的文字</translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>no model</source>
        <translation>未打开模型</translation>
    </message>
</context>
<context>
    <name>Menus</name>
    <message>
        <source>No documents yet</source>
        <translation>还没有文档</translation>
    </message>
    <message>
        <source>Show the assistant (F9)</source>
        <translation>显示助手 (F9)</translation>
    </message>
    <message>
        <source>No models yet</source>
        <translation>还没有模型</translation>
    </message>
    <message>
        <source>Choose the folder of an adapter</source>
        <translation>选择适配器所在的文件夹</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Accept</source>
        <translation>接受</translation>
    </message>
    <message>
        <source>Again</source>
        <translation>重新生成</translation>
    </message>
    <message>
        <source>Versions</source>
        <translation>切换版本</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>助手</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>快捷键</translation>
    </message>
    <message>
        <source>A writing assistant whose language model runs on this computer.</source>
        <translation>写作助手，语言模型完全在这台电脑上运行。</translation>
    </message>
</context>
<context>
    <name>MessageBar</name>
    <message>
        <source>Details</source>
        <translation>详细信息</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy the message for a bug report</source>
        <translation>复制消息，用于报告问题</translation>
    </message>
    <message>
        <source>Dismiss</source>
        <translation>关闭消息</translation>
    </message>
</context>
<context>
    <name>ModeSelector</name>
    <message>
        <source>Mode</source>
        <translation>模式</translation>
    </message>
</context>
<context>
    <name>ModelCard</name>
    <message>
        <source>Reading its headers…</source>
        <translation>正在读取文件头…</translation>
    </message>
</context>
<context>
    <name>ModelController</name>
    <message>
        <source>Opening {0} ended gptdesk the last time.</source>
        <translation>上次打开 {0} 时 gptdesk 意外退出。</translation>
    </message>
    <message>
        <source>It was not opened again. Choose another model, or try once more.</source>
        <translation>这次没有再打开它。请选择其他模型，或再试一次。</translation>
    </message>
    <message>
        <source>Try once more</source>
        <translation>再试一次</translation>
    </message>
</context>
<context>
    <name>ModelInfoDialog</name>
    <message>
        <source>Model Information</source>
        <translation>模型信息</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>OpenModelDialog</name>
    <message>
        <source>Open Model</source>
        <translation>打开模型</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>模型</translation>
    </message>
    <message>
        <source>Choose a folder…</source>
        <translation>选择文件夹…</translation>
    </message>
    <message>
        <source>Choose a file…</source>
        <translation>选择文件…</translation>
    </message>
    <message>
        <source>Places</source>
        <translation>位置</translation>
    </message>
    <message>
        <source>Folders in which models are looked for</source>
        <translation>在哪些文件夹中查找模型</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Load</source>
        <translation>载入</translation>
    </message>
    <message>
        <source>Choose the folder of a model</source>
        <translation>选择模型所在的文件夹</translation>
    </message>
    <message>
        <source>Models ({0})</source>
        <translation>模型 ({0})</translation>
    </message>
    <message>
        <source>Choose a file of a model</source>
        <translation>选择模型文件</translation>
    </message>
    <message>
        <source>Looking for models…</source>
        <translation>正在查找模型…</translation>
    </message>
    <message>
        <source>Look in another folder…</source>
        <translation>添加要查找的文件夹…</translation>
    </message>
    <message>
        <source>Look again</source>
        <translation>重新查找</translation>
    </message>
    <message>
        <source>Stop looking in {0}</source>
        <translation>不再查找 {0}</translation>
    </message>
    <message>
        <source>Choose a folder that holds models</source>
        <translation>选择存放模型的文件夹</translation>
    </message>
</context>
<context>
    <name>Placeholder</name>
    <message>
        <source>Write here, or paste a text.</source>
        <translation>在这里书写，或粘贴文字。</translation>
    </message>
    <message>
        <source>goes on where the caret stands</source>
        <translation>从光标处续写</translation>
    </message>
    <message>
        <source>accepts the tinted text</source>
        <translation>接受着色的文字</translation>
    </message>
    <message>
        <source>stops; once more, discards it</source>
        <translation>停止；再按一次则放弃</translation>
    </message>
</context>
<context>
    <name>Questions</name>
    <message>
        <source>Open</source>
        <translation>打开</translation>
    </message>
    <message>
        <source>Save As</source>
        <translation>另存为</translation>
    </message>
    <message>
        <source>Save the changes to “{0}”?</source>
        <translation>保存对“{0}”的修改吗？</translation>
    </message>
    <message>
        <source>What is not saved is lost when the document closes.</source>
        <translation>未保存的内容在文档关闭后会丢失。</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Don’t Save</source>
        <translation>不保存</translation>
    </message>
    <message>
        <source>“{0}” was changed by another program.</source>
        <translation>“{0}”已被其他程序修改。</translation>
    </message>
    <message>
        <source>Load the file again, or keep the text in this window. Ctrl+Z brings it back.</source>
        <translation>重新载入文件，或保留此窗口中的文字。按 Ctrl+Z 可以恢复。</translation>
    </message>
    <message>
        <source>Load Again</source>
        <translation>重新载入</translation>
    </message>
    <message>
        <source>Keep Mine</source>
        <translation>保留我的</translation>
    </message>
    <message>
        <source>“{0}” no longer fits its old encoding, {1}.</source>
        <translation>“{0}”已无法用原来的编码 {1} 保存。</translation>
    </message>
    <message>
        <source>Save it as UTF-8, which holds every character?</source>
        <translation>改用 UTF-8 保存吗？它能容纳所有字符。</translation>
    </message>
    <message>
        <source>Save as UTF-8</source>
        <translation>以 UTF-8 保存</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>Text files</source>
        <translation>文本文件</translation>
    </message>
    <message>
        <source>All files</source>
        <translation>所有文件</translation>
    </message>
</context>
<context>
    <name>ResultCard</name>
    <message>
        <source>Result</source>
        <translation>结果</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>插入</translation>
    </message>
    <message>
        <source>Insert at the cursor</source>
        <translation>插入到光标处</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>替换</translation>
    </message>
    <message>
        <source>Put it in place of the source, once it is complete</source>
        <translation>完整生成后，用它替换原文</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>复制</translation>
    </message>
    <message>
        <source>Copy to the clipboard</source>
        <translation>复制到剪贴板</translation>
    </message>
    <message>
        <source>Retry</source>
        <translation>重试</translation>
    </message>
    <message>
        <source>Write another version (Ctrl+R)</source>
        <translation>再写一个版本（Ctrl+R）</translation>
    </message>
</context>
<context>
    <name>RunControls</name>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Stop and keep what has come (Esc)</source>
        <translation>停止并保留已生成的内容（Esc）</translation>
    </message>
    <message>
        <source>Accept  Tab</source>
        <translation>接受  Tab</translation>
    </message>
    <message>
        <source>Retry  Ctrl R</source>
        <translation>重试  Ctrl R</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>上一个版本</translation>
    </message>
    <message>
        <source>Previous version (Alt+[)</source>
        <translation>上一个版本（Alt+[）</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>下一个版本</translation>
    </message>
    <message>
        <source>Next version (Alt+])</source>
        <translation>下一个版本（Alt+]）</translation>
    </message>
    <message>
        <source>Generate     Ctrl ↵</source>
        <translation>生成     Ctrl ↵</translation>
    </message>
    <message>
        <source>Generate</source>
        <translation>生成</translation>
    </message>
</context>
<context>
    <name>SamplingDetails</name>
    <message>
        <source>off</source>
        <translation>关</translation>
    </message>
    <message>
        <source>Top-k</source>
        <translation>Top-k</translation>
    </message>
    <message>
        <source>Only the k most probable tokens.</source>
        <translation>只保留概率最高的 k 个词元。</translation>
    </message>
    <message>
        <source>Min-p</source>
        <translation>Min-p</translation>
    </message>
    <message>
        <source>Drops tokens below this share of the best one&apos;s probability.</source>
        <translation>舍去概率低于最高者此比例的词元。</translation>
    </message>
    <message>
        <source>Penalty window</source>
        <translation>惩罚范围</translation>
    </message>
    <message>
        <source>How many of the last tokens the repetition penalty looks at.</source>
        <translation>重复惩罚考察最近多少个词元。</translation>
    </message>
    <message>
        <source>At most, tokens</source>
        <translation>最多词元数</translation>
    </message>
    <message>
        <source>Ends the text after this many tokens, whatever the length above.</source>
        <translation>无论上面的长度如何，到此数目即结束。</translation>
    </message>
    <message>
        <source>Seed</source>
        <translation>随机种子</translation>
    </message>
    <message>
        <source>The same seed and settings give the same text.</source>
        <translation>种子和设置相同，文字就相同。</translation>
    </message>
    <message>
        <source>all</source>
        <translation>全部</translation>
    </message>
    <message>
        <source>by length</source>
        <translation>按长度</translation>
    </message>
    <message>
        <source>random</source>
        <translation>随机</translation>
    </message>
</context>
<context>
    <name>SamplingForm</name>
    <message>
        <source>Style of sampling</source>
        <translation>采样风格</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Higher is bolder; 0 always takes the likeliest word.</source>
        <translation>越高越大胆；为 0 时总取最可能的词。</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>Keeps the likeliest tokens up to this probability.</source>
        <translation>保留累计概率达到此值的词元。</translation>
    </message>
    <message>
        <source>Repetition penalty</source>
        <translation>重复惩罚</translation>
    </message>
    <message>
        <source>Above 1, words already used become less likely.</source>
        <translation>大于 1 时，用过的词更少再出现。</translation>
    </message>
    <message>
        <source>All sampling settings</source>
        <translation>全部采样设置</translation>
    </message>
</context>
<context>
    <name>Saver</name>
    <message>
        <source>{0} was loaded again.</source>
        <translation>已重新载入 {0}。</translation>
    </message>
    <message>
        <source>{0} is no longer on the disk.</source>
        <translation>{0} 已不在磁盘上。</translation>
    </message>
</context>
<context>
    <name>SourceChooser</name>
    <message>
        <source>Source</source>
        <translation>原文</translation>
    </message>
    <message>
        <source>Selection · {0} words</source>
        <translation>选中文字 · {0} 字</translation>
    </message>
    <message>
        <source>Whole document · {0} words</source>
        <translation>整篇文档 · {0} 字</translation>
    </message>
    <message>
        <source>Pasted text · {0} words</source>
        <translation>粘贴的文字 · {0} 字</translation>
    </message>
    <message>
        <source> · {0} parts</source>
        <translation> · {0} 个部分</translation>
    </message>
</context>
<context>
    <name>SourceList</name>
    <message>
        <source>Documents to learn from</source>
        <translation>供学习的文档</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>添加文件…</translation>
    </message>
    <message>
        <source>Add a folder…</source>
        <translation>添加文件夹…</translation>
    </message>
    <message>
        <source>Add what is open</source>
        <translation>添加已打开的文档</translation>
    </message>
    <message>
        <source>The documents in the window that are saved as files</source>
        <translation>窗口中已保存为文件的文档</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>移除</translation>
    </message>
    <message>
        <source>Texts that you wrote: plain text or Markdown. The more, the better.</source>
        <translation>您写的文字：纯文本或 Markdown，越多越好。</translation>
    </message>
    <message>
        <source>Texts ({0})</source>
        <translation>文本文件 ({0})</translation>
    </message>
    <message>
        <source>Choose texts to learn from</source>
        <translation>选择供学习的文本文件</translation>
    </message>
    <message>
        <source>Choose a folder of texts</source>
        <translation>选择存放文本文件的文件夹</translation>
    </message>
    <message>
        <source>{0} (no text, left out)</source>
        <translation>{0}（没有文字，已略过）</translation>
    </message>
    <message>
        <source>{0} (folder)</source>
        <translation>{0}（文件夹）</translation>
    </message>
    <message>
        <source>There is no text in this. What can be read: {0}</source>
        <translation>这里面没有文字。可读取的类型：{0}</translation>
    </message>
    <message>
        <source>{0} file, {1}</source>
        <translation>{0} 个文件，{1}</translation>
    </message>
    <message>
        <source>{0} files, {1}</source>
        <translation>{0} 个文件，{1}</translation>
    </message>
    <message>
        <source>{0}. That is little: expect a touch of your style, not more.</source>
        <translation>{0}。文字偏少：只能学到一点您的文风。</translation>
    </message>
</context>
<context>
    <name>SourceText</name>
    <message>
        <source>Source text</source>
        <translation>原文</translation>
    </message>
    <message>
        <source>Paste or type the text here</source>
        <translation>在此粘贴或输入文字</translation>
    </message>
</context>
<context>
    <name>StatusBar</name>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
    <message>
        <source>offline</source>
        <translation>离线</translation>
    </message>
    <message>
        <source>gptdesk never connects to anything.</source>
        <translation>gptdesk 从不联网。</translation>
    </message>
    <message>
        <source>Context used</source>
        <translation>已用上下文</translation>
    </message>
    <message>
        <source>{0} tok/s</source>
        <translation>{0} 词元/秒</translation>
    </message>
    <message>
        <source>{0} word</source>
        <translation>{0} 字</translation>
    </message>
    <message>
        <source>{0} words</source>
        <translation>{0} 字</translation>
    </message>
    <message>
        <source>Tokens before the cursor, and how many the model can read</source>
        <translation>光标前的词元数，以及模型能读的词元数</translation>
    </message>
    <message>
        <source>The beginning of the text is left out: it exceeds the context</source>
        <translation>文字超出上下文，开头部分未被读取</translation>
    </message>
</context>
<context>
    <name>TabStrip</name>
    <message>
        <source>Documents</source>
        <translation>文档</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>TeachingDesk</name>
    <message>
        <source>Show</source>
        <translation>查看</translation>
    </message>
</context>
<context>
    <name>TeachingDialog</name>
    <message>
        <source>Teach the Model Your Style</source>
        <translation>让模型学习您的文风</translation>
    </message>
    <message>
        <source>Go on</source>
        <translation>继续</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>暂不</translation>
    </message>
    <message>
        <source>Open folder</source>
        <translation>打开文件夹</translation>
    </message>
    <message>
        <source>Change the order…</source>
        <translation>修改设置…</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>What was learnt is kept, and can go on another time</source>
        <translation>已学到的内容会保留，以后可以继续</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>开始</translation>
    </message>
    <message>
        <source>Use it now</source>
        <translation>立即使用</translation>
    </message>
    <message>
        <source>Go on in the background</source>
        <translation>在后台继续</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再试一次</translation>
    </message>
    <message>
        <source>“{0}” was stopped before it was done.</source>
        <translation>“{0}”尚未完成就停止了。</translation>
    </message>
</context>
<context>
    <name>TeachingForm</name>
    <message>
        <source> minutes</source>
        <translation> 分钟</translation>
    </message>
    <message>
        <source>Another place…</source>
        <translation>换个位置…</translation>
    </message>
    <message>
        <source>More</source>
        <translation>更多</translation>
    </message>
    <message>
        <source>You can go on writing meanwhile.</source>
        <translation>学习期间可以继续写作。</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>最长</translation>
    </message>
    <message>
        <source>Name of the result</source>
        <translation>结果名称</translation>
    </message>
    <message>
        <source>my-style</source>
        <translation>我的文风</translation>
    </message>
    <message>
        <source>No model is open.</source>
        <translation>没有打开模型。</translation>
    </message>
    <message>
        <source>“{0}” is an ONNX export, which cannot learn. Open the model it was made from.</source>
        <translation>“{0}”是 ONNX 导出，无法学习。请打开它的原模型。</translation>
    </message>
    <message>
        <source>The demo has no model that could learn. Open a model first.</source>
        <translation>演示模式中没有可以学习的模型。请先打开一个模型。</translation>
    </message>
    <message>
        <source>Give the result a name.</source>
        <translation>请为结果命名。</translation>
    </message>
    <message>
        <source>“{0}” cannot be the name of a folder.</source>
        <translation>“{0}”不能用作文件夹名称。</translation>
    </message>
    <message>
        <source>There is something called “{0}” already.</source>
        <translation>已有名为“{0}”的内容。</translation>
    </message>
    <message>
        <source>“{0}” was stopped before it was done, and can go on only with the same model, documents and method. Give this one another name.</source>
        <translation>“{0}”尚未完成就停止了，只有模型、文档和方法都相同才能继续。请换一个名称。</translation>
    </message>
    <message>
        <source>Choose where the result goes</source>
        <translation>选择结果的保存位置</translation>
    </message>
    <message>
        <source>An adapter is small, can be switched off at any time, and learns nearly as much.</source>
        <translation>适配器很小，可随时关闭，学到的几乎一样多。</translation>
    </message>
    <message>
        <source>The whole model takes more memory and disk, learns a little more, and forgets more of what it knew.</source>
        <translation>整个模型占用更多内存和磁盘，学到的略多，但也会忘掉更多原有的知识。</translation>
    </message>
    <message>
        <source>“{0}” reads your documents a few times over and learns to foresee how you go on. It happens on this computer, and nothing leaves it. The model stays as it is: what it learns goes into a folder of its own.</source>
        <translation>“{0}”会把您的文档读上几遍，学着预测您会怎样写下去。一切都在这台电脑上进行，不会外传。原模型保持不变：学到的内容存入单独的文件夹。</translation>
    </message>
    <message>
        <source>It begins without the adapter “{0}”.</source>
        <translation>学习时不使用适配器“{0}”。</translation>
    </message>
</context>
<context>
    <name>TextEdit</name>
    <message>
        <source>Text</source>
        <translation>正文</translation>
    </message>
</context>
<context>
    <name>TrainingEntry</name>
    <message>
        <source>Show how the model learns</source>
        <translation>查看学习进度</translation>
    </message>
    <message>
        <source>learning</source>
        <translation>学习中</translation>
    </message>
    <message>
        <source>stopping</source>
        <translation>正在停止</translation>
    </message>
    <message>
        <source>learning {0}</source>
        <translation>学习中 {0}</translation>
    </message>
</context>
<context>
    <name>TrainingQuestions</name>
    <message>
        <source>The model is still learning.</source>
        <translation>模型还在学习。</translation>
    </message>
    <message>
        <source>If it stops now, what it has learnt is kept, and it can go on another time.</source>
        <translation>如果现在停止，已学到的内容会保留，以后可以继续。</translation>
    </message>
    <message>
        <source>Stop and Quit</source>
        <translation>停止并退出</translation>
    </message>
    <message>
        <source>Quit When Done</source>
        <translation>完成后退出</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>取消</translation>
    </message>
</context>
<context>
    <name>TypefaceDialog</name>
    <message>
        <source>Typeface</source>
        <translation>字体</translation>
    </message>
    <message>
        <source>Size in pixels</source>
        <translation>大小（像素）</translation>
    </message>
    <message>
        <source>Characters per line</source>
        <translation>每行字符数</translation>
    </message>
    <message>
        <source>Use the default</source>
        <translation>恢复默认</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>关闭</translation>
    </message>
</context>
<context>
    <name>WatchPage</name>
    <message>
        <source>Details</source>
        <translation>详细信息</translation>
    </message>
    <message>
        <source>Progress</source>
        <translation>进度</translation>
    </message>
    <message>
        <source>step {0} of {1}</source>
        <translation>第 {0} 步，共 {1} 步</translation>
    </message>
    <message>
        <source>step {0}</source>
        <translation>第 {0} 步</translation>
    </message>
    <message>
        <source>In places it writes your text down word for word. More text, or less time, would help.</source>
        <translation>它有时会逐字照抄您的文字。增加文字或缩短时间会有帮助。</translation>
    </message>
</context>
<context>
    <name>facts</name>
    <message>
        <source>{0} + {1} (off)</source>
        <translation>{0} + {1}（已关闭）</translation>
    </message>
    <message>
        <source>Adapter</source>
        <translation>适配器</translation>
    </message>
    <message>
        <source>Made for</source>
        <translation>适用模型</translation>
    </message>
    <message>
        <source>Rank</source>
        <translation>秩</translation>
    </message>
    <message>
        <source>Layers</source>
        <translation>层</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>架构</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>参数量</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>上下文</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>Experimental</source>
        <translation>实验性</translation>
    </message>
    <message>
        <source>Precision</source>
        <translation>精度</translation>
    </message>
    <message>
        <source>On disk</source>
        <translation>磁盘占用</translation>
    </message>
    <message>
        <source>Memory needed</source>
        <translation>所需内存</translation>
    </message>
    <message>
        <source>Runs on</source>
        <translation>运行于</translation>
    </message>
    <message>
        <source>Weights in memory</source>
        <translation>权重占用内存</translation>
    </message>
    <message>
        <source>texts of more than {0} tokens</source>
        <translation>超过 {0} 个词元的文本</translation>
    </message>
    <message>
        <source>{0} tokens</source>
        <translation>{0} 词元</translation>
    </message>
</context>
<context>
    <name>languages</name>
    <message>
        <source>{0} (experimental)</source>
        <translation>{0}（实验性）</translation>
    </message>
</context>
<context>
    <name>menus</name>
    <message>
        <source>&amp;File</source>
        <translation>文件(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;New</source>
        <translation>新建(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Open…</source>
        <translation>打开(&amp;O)…</translation>
    </message>
    <message>
        <source>Open &amp;Recent</source>
        <translation>最近打开(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Save</source>
        <translation>保存(&amp;S)</translation>
    </message>
    <message>
        <source>Save &amp;As…</source>
        <translation>另存为(&amp;A)…</translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation>关闭(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>退出(&amp;Q)</translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation>编辑(&amp;E)</translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation>撤销(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation>重做(&amp;R)</translation>
    </message>
    <message>
        <source>Cu&amp;t</source>
        <translation>剪切(&amp;T)</translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation>复制(&amp;C)</translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation>粘贴(&amp;P)</translation>
    </message>
    <message>
        <source>Select &amp;All</source>
        <translation>全选(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Find…</source>
        <translation>查找(&amp;F)…</translation>
    </message>
    <message>
        <source>Find &amp;Next</source>
        <translation>查找下一个(&amp;N)</translation>
    </message>
    <message>
        <source>Find Pre&amp;vious</source>
        <translation>查找上一个(&amp;V)</translation>
    </message>
    <message>
        <source>Rep&amp;lace…</source>
        <translation>替换(&amp;L)…</translation>
    </message>
    <message>
        <source>&amp;Generate</source>
        <translation>生成(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Stop Generating</source>
        <translation>停止生成(&amp;S)</translation>
    </message>
    <message>
        <source>Gene&amp;rate Again</source>
        <translation>重新生成(&amp;R)</translation>
    </message>
    <message>
        <source>Previous Version</source>
        <translation>上一个版本</translation>
    </message>
    <message>
        <source>Next Version</source>
        <translation>下一个版本</translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation>视图(&amp;V)</translation>
    </message>
    <message>
        <source>&amp;Assistant</source>
        <translation>助手(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Larger Text</source>
        <translation>放大文字(&amp;L)</translation>
    </message>
    <message>
        <source>&amp;Smaller Text</source>
        <translation>缩小文字(&amp;S)</translation>
    </message>
    <message>
        <source>&amp;Normal Text</source>
        <translation>正常大小(&amp;N)</translation>
    </message>
    <message>
        <source>&amp;Typeface…</source>
        <translation>字体(&amp;T)…</translation>
    </message>
    <message>
        <source>&amp;Colours</source>
        <translation>配色(&amp;C)</translation>
    </message>
    <message>
        <source>As the System</source>
        <translation>跟随系统</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>浅色</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>深色</translation>
    </message>
    <message>
        <source>Lan&amp;guage</source>
        <translation>语言(&amp;G)</translation>
    </message>
    <message>
        <source>&amp;Full Screen</source>
        <translation>全屏(&amp;F)</translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation>模型(&amp;M)</translation>
    </message>
    <message>
        <source>&amp;Open Model…</source>
        <translation>打开模型(&amp;O)…</translation>
    </message>
    <message>
        <source>&amp;Adapter</source>
        <translation>适配器(&amp;A)</translation>
    </message>
    <message>
        <source>&amp;Choose Adapter…</source>
        <translation>选择适配器(&amp;C)…</translation>
    </message>
    <message>
        <source>&amp;Use Adapter</source>
        <translation>使用适配器(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Remove Adapter</source>
        <translation>移除适配器(&amp;R)</translation>
    </message>
    <message>
        <source>&amp;Teach the Model Your Style…</source>
        <translation>让模型学习您的文风(&amp;T)…</translation>
    </message>
    <message>
        <source>&amp;Information…</source>
        <translation>信息(&amp;I)…</translation>
    </message>
    <message>
        <source>&amp;Export to ONNX…</source>
        <translation>导出为 ONNX(&amp;E)…</translation>
    </message>
    <message>
        <source>&amp;Unload</source>
        <translation>卸载(&amp;U)</translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation>帮助(&amp;H)</translation>
    </message>
    <message>
        <source>&amp;Keys</source>
        <translation>快捷键(&amp;K)</translation>
    </message>
    <message>
        <source>Show the &amp;Log…</source>
        <translation>查看日志(&amp;L)…</translation>
    </message>
    <message>
        <source>&amp;About gptdesk</source>
        <translation>关于 gptdesk(&amp;A)</translation>
    </message>
</context>
<context>
    <name>numbers</name>
    <message>
        <source>{0} GB</source>
        <translation>{0} GB</translation>
    </message>
    <message>
        <source>{0} MB</source>
        <translation>{0} MB</translation>
    </message>
</context>
<context>
    <name>options</name>
    <message>
        <source>Continue</source>
        <translation>续写</translation>
    </message>
    <message>
        <source>Length</source>
        <translation>长度</translation>
    </message>
    <message>
        <source>How much to write: the end of the sentence, of the paragraph, or about a page.</source>
        <translation>写多少：写完一句、写完一段，或大约一页。</translation>
    </message>
    <message>
        <source>Sentence</source>
        <translation>一句</translation>
    </message>
    <message>
        <source>Paragraph</source>
        <translation>一段</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>一页</translation>
    </message>
    <message>
        <source>Summarize</source>
        <translation>摘要</translation>
    </message>
    <message>
        <source>Form</source>
        <translation>形式</translation>
    </message>
    <message>
        <source>One headline, one paragraph, or a list of points.</source>
        <translation>一个标题、一段文字，或要点列表。</translation>
    </message>
    <message>
        <source>Headline</source>
        <translation>标题</translation>
    </message>
    <message>
        <source>Points</source>
        <translation>要点</translation>
    </message>
    <message>
        <source>How many points the list has.</source>
        <translation>列出几条要点。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>语言</translation>
    </message>
    <message>
        <source>The language of the summary.</source>
        <translation>摘要所用的语言。</translation>
    </message>
    <message>
        <source>Same as the text</source>
        <translation>与原文相同</translation>
    </message>
    <message>
        <source>English</source>
        <translation>英语</translation>
    </message>
    <message>
        <source>Chinese</source>
        <translation>中文</translation>
    </message>
    <message>
        <source>German</source>
        <translation>德语</translation>
    </message>
    <message>
        <source>French</source>
        <translation>法语</translation>
    </message>
    <message>
        <source>Translate</source>
        <translation>翻译</translation>
    </message>
    <message>
        <source>From</source>
        <translation>从</translation>
    </message>
    <message>
        <source>The language of the text.</source>
        <translation>原文的语言。</translation>
    </message>
    <message>
        <source>Detect</source>
        <translation>自动检测</translation>
    </message>
    <message>
        <source>To</source>
        <translation>译成</translation>
    </message>
    <message>
        <source>The language to translate into; by itself Chinese into English, others into Chinese.</source>
        <translation>译文的语言；自动时中文译成英语，其他语言译成中文。</translation>
    </message>
    <message>
        <source>Automatic</source>
        <translation>自动</translation>
    </message>
    <message>
        <source>Rewrite</source>
        <translation>改写</translation>
    </message>
    <message>
        <source>Style</source>
        <translation>方式</translation>
    </message>
    <message>
        <source>Correct mistakes and change nothing else, or write shorter and simpler sentences.</source>
        <translation>只改正错误，其他一律不动；或改写成更短、更简单的句子。</translation>
    </message>
    <message>
        <source>Proofread</source>
        <translation>校对</translation>
    </message>
    <message>
        <source>Simplify</source>
        <translation>简化</translation>
    </message>
</context>
<context>
    <name>presets</name>
    <message>
        <source>Precise</source>
        <translation>精确</translation>
    </message>
    <message>
        <source>Balanced</source>
        <translation>均衡</translation>
    </message>
    <message>
        <source>Creative</source>
        <translation>创意</translation>
    </message>
    <message>
        <source>Custom</source>
        <translation>自定义</translation>
    </message>
</context>
<context>
    <name>progress</name>
    <message>
        <source>loading {0}</source>
        <translation>载入 {0}</translation>
    </message>
    <message>
        <source>exporting {0}</source>
        <translation>导出 {0}</translation>
    </message>
    <message>
        <source>reading {0}</source>
        <translation>阅读 {0}</translation>
    </message>
    <message>
        <source>writing {0}</source>
        <translation>写作 {0}</translation>
    </message>
    <message>
        <source>part {0}</source>
        <translation>部分 {0}</translation>
    </message>
    <message>
        <source>writing</source>
        <translation>写作中</translation>
    </message>
</context>
<context>
    <name>sources</name>
    <message>
        <source>Selection</source>
        <translation>选中文字</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>整篇文档</translation>
    </message>
    <message>
        <source>Pasted text</source>
        <translation>粘贴文字</translation>
    </message>
</context>
<context>
    <name>training</name>
    <message>
        <source>adapter</source>
        <translation>适配器</translation>
    </message>
    <message>
        <source>whole model</source>
        <translation>整个模型</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>正在启动…</translation>
    </message>
    <message>
        <source>Reading your documents…</source>
        <translation>正在读取文档…</translation>
    </message>
    <message>
        <source>Learning from your documents</source>
        <translation>正在从您的文档中学习</translation>
    </message>
    <message>
        <source>Saving what was learnt…</source>
        <translation>正在保存已学到的内容…</translation>
    </message>
    <message>
        <source>Measuring what was learnt…</source>
        <translation>正在测量学习效果…</translation>
    </message>
    <message>
        <source>Stopping, and saving what was learnt…</source>
        <translation>正在停止，并保存已学到的内容…</translation>
    </message>
    <message>
        <source>Working…</source>
        <translation>正在处理…</translation>
    </message>
    <message>
        <source>{0} tokens/s</source>
        <translation>{0} 词元/秒</translation>
    </message>
    <message>
        <source>less than a minute left</source>
        <translation>剩余不到一分钟</translation>
    </message>
    <message>
        <source>about a minute left</source>
        <translation>剩余约一分钟</translation>
    </message>
    <message>
        <source>about {0} minutes left</source>
        <translation>剩余约 {0} 分钟</translation>
    </message>
    <message>
        <source>about {0} hours left</source>
        <translation>剩余约 {0} 小时</translation>
    </message>
    <message>
        <source>The model has learnt from your documents.</source>
        <translation>模型已学完您的文档。</translation>
    </message>
    <message>
        <source>Stopped.</source>
        <translation>已停止。</translation>
    </message>
    <message>
        <source>Learning went wrong and was stopped.</source>
        <translation>学习出现异常，已停止。</translation>
    </message>
    <message>
        <source>The time was up. More time would let it learn more.</source>
        <translation>时间已到。给它更多时间，可以学到更多。</translation>
    </message>
    <message>
        <source>What was learnt so far is kept: it can go on from there at any time.</source>
        <translation>已学到的内容会保留：随时可以从这里继续。</translation>
    </message>
    <message>
        <source>The loss was no longer a number. The last good state is kept; other documents or another method may do better.</source>
        <translation>损失已不再是数。最后一个正常的状态会保留；换用其他文档或方法也许更好。</translation>
    </message>
    <message>
        <source>There was too little text to hold pages back, so nothing was measured.</source>
        <translation>文字太少，无法留出一部分，因此没有测量。</translation>
    </message>
    <message>
        <source>perplexity {0} → {1}</source>
        <translation>困惑度 {0} → {1}</translation>
    </message>
    <message>
        <source>On pages it has never seen, it now foresees your words better: {0}, {1} lower.</source>
        <translation>在从未见过的文字上，它对您用词的预测更准了：{0}，降低 {1}。</translation>
    </message>
    <message>
        <source>On pages it has never seen, it foresees your words as before: {0}.</source>
        <translation>在从未见过的文字上，它对您用词的预测与以前相当：{0}。</translation>
    </message>
    <message>
        <source>On pages it has never seen, it foresees your words worse than before: {0}. More or more varied text may help.</source>
        <translation>在从未见过的文字上，它对您用词的预测不如以前：{0}。增加文字的数量或种类可能有帮助。</translation>
    </message>
    <message>
        <source>What it wrote for a test repeats nothing of your text.</source>
        <translation>它试写的文字没有重复您的原文。</translation>
    </message>
    <message>
        <source>The longest passage it repeated from your text in a test: {0} words, “{1}”.</source>
        <translation>试写中照搬您原文的最长一段：{0} 个词，“{1}”。</translation>
    </message>
</context>
</TS>
